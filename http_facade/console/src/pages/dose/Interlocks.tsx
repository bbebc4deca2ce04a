import { Icon } from '../../parts/icons'
import { type Action, type Description, holds } from '../../state/description'
import type { Device } from '../../state/devices'
import { t } from '../../words/words'
import { titleOf, valueWords } from '../commands/wording'

/** What makes the site refuse, with what it was last read to be. */
export function Interlocks({
  device,
  description,
  action,
}: {
  device: Device
  description: Description
  action: Action
}) {
  const interlocks = action['tidegate:interlocks'] ?? []
  if (interlocks.length === 0) return null
  return (
    <section class="dose-facts">
      <h3>{t('dose.interlocks')}</h3>
      <ul>
        {interlocks.map(each => {
          const live = device.readings[each.property] ?? device.settings[each.property]
          const schema = description.properties?.[each.property]
          const forbids = holds(each, live)
          return (
            <li key={each.name} class={forbids ? 'dose-forbids' : undefined}>
              <Icon name={forbids ? 'critical' : 'ok'} size={18} />
              <span>
                {titleOf(each.name, each)}
                <span class="quiet"> · {t(forbids ? 'dose.forbids' : 'dose.allows')}</span>
              </span>
              <strong class="digits">{valueWords(live, schema)}</strong>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
