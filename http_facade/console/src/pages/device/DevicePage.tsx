import './device.css'
import './meals.css'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Icon } from '../../parts/icons'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Action, type Description, useDescription } from '../../state/description'
import { type Device, devicesOf, readDevices } from '../../state/devices'
import { useDeviceCommands } from '../../state/following'
import { closedFor } from '../../state/gate'
import { may } from '../../state/session'
import { t } from '../../words/words'
import { ActionCard } from '../dose/ActionCard'
import { to } from '../routes'
import { ClosedNotice } from './ClosedNotice'
import { Readings } from './Readings'
import { RecentCommands } from './RecentCommands'
import { SettingsForm } from './SettingsForm'

/** One device: what it measures, what it is set to, and what can be asked of it. */
export default function DevicePage({ params: { site, device: id } }: { params: { site: string; device: string } }) {
  const { devices, problem } = devicesOf(site).value
  const device = devices?.get(id)
  const lead = (
    <>
      <a href={to.site(site)}>
        <bdi>{site}</bdi>
      </a>{' '}
      · <bdi>{id}</bdi>
    </>
  )
  const history = (
    <a class="button button-secondary" href={to.history(site, id)}>
      <Icon name="history" />
      {t('device.history')}
    </a>
  )
  return (
    <Page title={device?.title ?? id} lead={lead} actions={history}>
      {problem && <ProblemNotice problem={problem} again={() => void readDevices(site)} />}
      {devices && !device && <Notice tone="warning">{t('device.none')}</Notice>}
      {!devices && !problem && (
        <Card>
          <Skeleton lines={8} />
        </Card>
      )}
      {device && <Whole key={`${site}/${id}`} device={device} />}
    </Page>
  )
}

function Whole({ device }: { device: Device }) {
  const description = useDescription(device.site, device.device)
  const known = useDeviceCommands(device.site, device.device)
  const described = description.value
  const closed = closedFor(device.site, described?.['tidegate:plc'] ?? device.plc)
  const actions = described ? sorted(described) : []
  return (
    <>
      {closed && closed.why !== 'unread' && <ClosedNotice closed={closed} />}
      {!may('operator') && (
        <p>
          <Badge tone="accent">{t('device.viewerOnly')}</Badge>
        </p>
      )}
      {description.problem && <ProblemNotice problem={description.problem} again={description.again} />}
      <div class={actions.length > 0 ? 'device' : 'device device-narrow'}>
        <Readings device={device} description={described} closed={closed} />
        {described ? (
          <>
            <div class="device-actions">
              {actions.map(([name, action]) => (
                <ActionCard
                  key={name}
                  device={device}
                  description={described}
                  name={name}
                  action={action}
                  closed={closed}
                  commands={known.commands}
                />
              ))}
            </div>
            <SettingsForm device={device} description={described} closed={closed} commands={known.commands} />
            <RecentCommands of={known} site={device.site} device={device.device} description={described} />
          </>
        ) : (
          <Card>
            <Skeleton lines={8} />
          </Card>
        )}
      </div>
    </>
  )
}

/** Feeding first. */
function sorted({ actions }: Description): readonly [string, Action][] {
  return Object.entries(actions ?? {}).sort(([one], [other]) => Number(other === 'feed') - Number(one === 'feed'))
}
