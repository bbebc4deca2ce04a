import { read } from '../../api/client'
import { FedBar } from '../../parts/FedBar'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { alarmsBySite } from '../../state/alarms'
import { type Description, describe } from '../../state/description'
import { devicesOf, readDevices } from '../../state/devices'
import { useEvery } from '../../state/interval'
import type { Fed } from '../../state/overview'
import { today } from '../../state/overview'
import { useReading } from '../../state/reading'
import { type KnownSite, onlineNow } from '../../state/sites'
import { t } from '../../words/words'
import { DeviceCard } from './DeviceCard'

const AGAIN_MS = 15_000

/** The devices of a site with their live values, and what each was fed today. */
export function Devices({ site }: { site: KnownSite }) {
  const name = site.site
  const { devices, problem } = devicesOf(name).value
  const ids = [...(devices?.keys() ?? [])]
  const descriptions = useDescriptions(name, ids)
  const fed = useFedToday(name)
  const total = today.value?.get(name)?.fed
  const online = onlineNow(site)
  return (
    <section class="devices-group" aria-labelledby="devices">
      <header class="devices-head">
        <h2 id="devices">{t('site.devices')}</h2>
        {total && (
          <div class="devices-fed">
            <FedBar fed={total} label={t('sites.fedToday', { site: name })} />
          </div>
        )}
      </header>
      {problem && <ProblemNotice problem={problem} again={() => void readDevices(name)} />}
      {!devices && !problem && <Skeleton lines={3} blockSize="6rem" />}
      {devices?.size === 0 && <p class="quiet">{t('site.noDevices')}</p>}
      <ul class="devices">
        {[...(devices?.values() ?? [])].map(each => (
          <li key={each.device}>
            <DeviceCard
              device={each}
              description={descriptions.get(each.device)}
              fed={fed.get(each.device)}
              online={online}
              alarms={alarmsBySite.value?.get(name)?.filter(alarm => alarm.device === each.device) ?? []}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What each device is; read when the devices are known. One that cannot be read leaves names as they are, without units. */
function useDescriptions(site: string, devices: readonly string[]): ReadonlyMap<string, Description> {
  const reading = useReading(
    async signal => {
      const found = await Promise.allSettled(devices.map(each => describe(site, each, signal)))
      return new Map(
        found.flatMap((each, index) =>
          each.status === 'fulfilled' ? [[devices[index] ?? '', each.value] as const] : [],
        ),
      )
    },
    [site, devices],
  )
  return reading.value ?? new Map()
}

/** The day that it is at the site, by device. */
function useFedToday(site: string): ReadonlyMap<string, Fed> {
  const date = today.value?.get(site)?.fed?.date
  const reading = useReading(
    async signal => {
      if (date === undefined) return new Map<string, Fed>()
      const query = { from: date, to: date }
      const { body } = await read('/v1/sites/{site}/feed-totals', { path: { site }, query, signal })
      return new Map<string, Fed>(body.days.at(-1)?.devices.map(each => [each.device, each]) ?? [])
    },
    [site, date],
  )
  useEvery(AGAIN_MS, reading.again)
  return reading.value ?? new Map()
}
