import { useState } from 'preact/hooks'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Field } from '../../parts/Field'
import { Skeleton } from '../../parts/Skeleton'
import { devicesOf } from '../../state/devices'
import { onlineNow, sites } from '../../state/sites'
import { t } from '../../words/words'
import { presence } from '../sites/presence'
import { found, keyOf } from './choice'

/** Devices of all sites, to be searched and ticked. */
export function DeviceChoice({
  chosen,
  onChoose,
}: {
  chosen: ReadonlySet<string>
  onChoose: (chosen: ReadonlySet<string>) => void
}) {
  const [search, setSearch] = useState('')
  const known = sites.value && [...sites.value.values()].sort((one, other) => one.site.localeCompare(other.site))
  const shown = (known ?? []).map(site => ({
    site,
    devices: found([...(devicesOf(site.site).value.devices?.values() ?? [])], search),
  }))
  const all = shown.flatMap(each => each.devices.map(keyOf))
  const set = (keys: readonly string[], on: boolean) => {
    const next = new Set(chosen)
    for (const key of keys) on ? next.add(key) : next.delete(key)
    onChoose(next)
  }
  return (
    <Card
      title={t('groups.choose')}
      aside={<span class="quiet digits">{t('groups.devices', { count: chosen.size })}</span>}
    >
      <Field label={t('groups.search')} type="search" value={search} onInput={setSearch} autocomplete="off" />
      {!known && <Skeleton lines={6} />}
      {known && all.length === 0 && <p class="quiet">{t('groups.noFit')}</p>}
      {all.length > 0 && (
        <Button onClick={() => set(all, !all.every(key => chosen.has(key)))}>{t('groups.all')}</Button>
      )}
      {shown
        .filter(each => each.devices.length > 0)
        .map(({ site, devices }) => (
          <fieldset key={site.site} class="choice">
            <legend>
              <bdi>{site.site}</bdi>{' '}
              <Badge tone={presence(onlineNow(site)).tone}>{presence(onlineNow(site)).words}</Badge>
            </legend>
            {devices.map(device => (
              <label key={device.device}>
                <input
                  type="checkbox"
                  checked={chosen.has(keyOf(device))}
                  onChange={event => set([keyOf(device)], event.currentTarget.checked)}
                />
                <span>{device.title}</span>
                <span class="quiet">
                  <bdi>{device.device}</bdi>
                </span>
              </label>
            ))}
          </fieldset>
        ))}
    </Card>
  )
}
