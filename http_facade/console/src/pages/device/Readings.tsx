import { age } from '../../format/ages'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { now } from '../../state/clock'
import type { Description } from '../../state/description'
import type { Device } from '../../state/devices'
import type { Closed } from '../../state/gate'
import { t } from '../../words/words'
import { titleOf, valueWords } from '../commands/wording'

const TONES = { good: 'ok', stale: 'warning', bad: 'critical' } as const

function QualityBadge({ device, away }: { device: Device; away: boolean }) {
  if (away) return <Badge tone="unknown">{t('device.lastKnown')}</Badge>
  if (device.quality === null) return <Badge tone="unknown">{t('device.noReport')}</Badge>
  return <Badge tone={TONES[device.quality]}>{t(`device.${device.quality}`)}</Badge>
}

interface ReadingsProps {
  device: Device
  description: Description | undefined
  closed: Closed | undefined
}

/** What the device was last read to measure, how old that is, and how far it can be trusted. */
export function Readings({ device, description, closed }: ReadingsProps) {
  // What a silent site reported as good was good then; nobody knows what it is now.
  const away = closed !== undefined && closed.why !== 'unread'
  const doubtful = away || device.quality !== 'good'
  return (
    <Card title={t('device.readings')} aside={<QualityBadge device={device} away={away} />}>
      <p class="quiet digits" aria-live="off">
        {device.at === null ? t('device.neverRead') : t('device.read', { age: age(device.at, now.value) })}
        {doubtful && device.cause && <span class="device-cause"> {device.cause}</span>}
      </p>
      <dl class={doubtful ? 'readings readings-doubtful' : 'readings'}>
        {sorted(device.readings).map(([name, value]) => {
          const schema = description?.properties?.[name]
          return (
            <div key={name}>
              <dt>{titleOf(name, schema)}</dt>
              <dd class="digits">{valueWords(value, { type: 'string', readOnly: true, ...schema })}</dd>
            </div>
          )
        })}
      </dl>
    </Card>
  )
}

/** Measures before flags. */
function sorted(readings: Device['readings']) {
  const flag = (value: unknown) => Number(typeof value === 'boolean')
  return Object.entries(readings).sort(([, one], [, other]) => flag(one) - flag(other))
}
