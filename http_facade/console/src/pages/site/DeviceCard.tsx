import { Age } from '../../parts/Age'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { FedBar } from '../../parts/FedBar'
import { Icon } from '../../parts/icons'
import { type Alarm, keyOf } from '../../state/alarms'
import type { Description } from '../../state/description'
import type { Device } from '../../state/devices'
import type { Fed } from '../../state/overview'
import { t } from '../../words/words'
import { to } from '../routes'
import { drifts, shownFlags, shownValues, type Trust, trust } from './values'

export interface DeviceCardProps {
  device: Device
  /** Undefined while it is not known: names stand for titles, and there are no units. */
  description: Description | undefined
  fed: Fed | undefined
  /** Of the site; null where nobody can tell. */
  online: boolean | null
  alarms: readonly Alarm[]
}

/** A device: its values with their age and how far they can be trusted, and what needs somebody. */
export function DeviceCard({ device, description, fed, online, alarms }: DeviceCardProps) {
  const { tone, words, cause } = trust(device, online)
  return (
    <Card
      tone={edgeOf(tone, alarms)}
      title={
        <a class="device-link" href={to.device(device.site, device.device)}>
          <bdi>{device.title}</bdi>
        </a>
      }
      aside={<Badge tone={tone}>{words}</Badge>}
    >
      <p class="device-age quiet">
        <bdi>{device.device}</bdi>
        {device.plc && (
          <>
            {' · '}
            <bdi>{device.plc}</bdi>
          </>
        )}
        {device.at && (
          <>
            {' · '}
            <Age of={device.at} words={age => t('site.changed', { age })} />
          </>
        )}
      </p>
      {cause && (
        <p class="device-cause">
          <Icon name="warning" size={18} />
          <bdi>{cause}</bdi>
        </p>
      )}
      <Needs device={device} description={description} alarms={alarms} />
      <Values device={device} description={description} live={tone === 'ok'} />
      {fed && <FedBar fed={fed} label={`${t('sites.tileFed')}: ${device.title}`} />}
      <p class="device-links">
        <a href={to.device(device.site, device.device)}>{t('site.toDevice')}</a>
        <a href={to.history(device.site, device.device)}>{t('history.title')}</a>
      </p>
    </Card>
  )
}

/** The worse of how its values are and what alarms nobody has taken note of. */
function edgeOf(tone: Trust['tone'], alarms: readonly Alarm[]): Trust['tone'] {
  const open = alarms.filter(each => !each.acknowledged).map(each => each.severity)
  if (open.includes('critical')) return 'critical'
  return tone === 'ok' && open.length > 0 ? 'warning' : tone
}

function Needs({ device, description, alarms }: Pick<DeviceCardProps, 'device' | 'description' | 'alarms'>) {
  const drift = drifts(device, description)
  const raised = new Set(alarms.map(each => each.name))
  const flags = shownFlags(device, description).filter(({ name }) => !raised.has(name.replaceAll('_', '-')))
  if (alarms.length + drift.length + flags.length === 0) return null
  return (
    <ul class="device-needs">
      {alarms.map(each => (
        <li key={keyOf(each)}>
          <Badge tone={each.acknowledged ? 'unknown' : each.severity} icon={each.acknowledged ? 'ok' : 'alarms'}>
            <bdi>{each.title}</bdi>
          </Badge>
        </li>
      ))}
      {drift.map(each => (
        <li key={each}>
          <Badge tone="warning">{each}</Badge>
        </li>
      ))}
      {flags.map(({ name, title }) => (
        <li key={name}>
          <Badge tone="accent">
            <bdi>{title}</bdi>
          </Badge>
        </li>
      ))}
    </ul>
  )
}

/** Values that may not be those of now are marked, one by one, in more than their colour. */
function Values({ device, description, live }: Pick<DeviceCardProps, 'device' | 'description'> & { live: boolean }) {
  return (
    <dl class={live ? 'values' : 'values values-old'}>
      {shownValues(device, description).map(({ name, title, text }) => (
        <div key={name}>
          <dt>
            <bdi>{title}</bdi>
          </dt>
          <dd class="digits">
            {!live && <span class="unseen">{t('site.notNow')} </span>}
            {text}
          </dd>
        </div>
      ))}
    </dl>
  )
}
