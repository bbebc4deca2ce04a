import { Icon } from '../../parts/icons'
import type { Command } from '../../state/commands'
import type { Schema } from '../../state/description'
import type { Device } from '../../state/devices'
import { t } from '../../words/words'
import { valueWords, whoWords } from '../commands/wording'
import { to } from '../routes'

/** A setting that the device does not report as it was last asked for: what was asked, and by whom. */
export function Drift({
  device,
  name,
  schema,
  commands,
}: {
  device: Device
  name: string
  schema: Schema
  commands: readonly Command[] | undefined
}) {
  const desired = device.desired[name]
  if (!desired || !device.drift.includes(name)) return null
  const command = commands?.find(each => each.id === desired.command)
  const wanted = valueWords(desired.value, schema)
  return (
    <p class="drift">
      <Icon name="warning" size={16} />
      <span>
        {command
          ? t('device.driftBy', { value: wanted, who: whoWords(command) })
          : t('device.drift', { value: wanted })}{' '}
        <a href={to.command(desired.command)}>{t('device.driftLook')}</a>
      </span>
    </p>
  )
}
