import type { ComponentChildren } from 'preact'
import { number } from '../../format/numbers'
import { shortTime } from '../../format/times'
import { weight } from '../../format/weights'
import { isMissedMeal, urgent } from '../../state/alarms'
import { serverNow } from '../../state/clock'
import { fedAsOf, today } from '../../state/overview'
import { sites, staleSites } from '../../state/sites'
import { t } from '../../words/words'

interface TileProps {
  head: string
  value: string
  tone?: 'ok' | 'critical' | 'unknown' | undefined
  children?: ComponentChildren
}

function Tile({ head, value, tone, children }: TileProps) {
  return (
    <div class={tone ? `tile tile-${tone}` : 'tile'}>
      <dt>{head}</dt>
      <dd>
        <strong class="digits">{value}</strong>
        <span class="quiet digits">{children}</span>
      </dd>
    </div>
  )
}

/** All sites together: who is there, what is urgent, what was fed. */
export function Tiles() {
  const all = [...(sites.value?.values() ?? [])]
  const now = all.map(each => (staleSites.value.has(each.site) ? null : each.online))
  const unknown = now.filter(each => each === null).length
  const online = now.filter(each => each).length
  const silent = all.length - unknown - online
  const missed = urgent.value.filter(isMissedMeal).length
  return (
    <dl class="tiles">
      <Tile head={t('sites.tileOnline')} value={number(online)} tone={online === all.length ? 'ok' : undefined}>
        {t('sites.tileOf', { count: all.length })}
      </Tile>
      <Tile
        head={t('sites.tileSilent')}
        value={number(silent)}
        tone={silent > 0 ? 'critical' : unknown > 0 ? 'unknown' : undefined}
      >
        {unknown > 0 && t('sites.tileUnknown', { count: unknown })}
      </Tile>
      <Tile
        head={t('sites.tileNeeds')}
        value={number(urgent.value.length)}
        tone={urgent.value.length > 0 ? 'critical' : undefined}
      >
        {missed > 0 ? t('sites.tileMissed', { count: missed }) : t('sites.tileOpen')}
      </Tile>
      <FedTile />
    </dl>
  )
}

/** Of the sites of which it is known; how many are left out is said. */
function FedTile() {
  const days = [...(today.value?.values() ?? [])].map(each => each.fed).filter(fed => fed !== null)
  const known = days.filter(day => day.fed_g !== null && day.due_g !== null)
  const sum = (amounts: readonly (number | null)[]) => amounts.reduce<number>((all, each) => all + (each ?? 0), 0)
  const missing = days.length - known.length
  const least = known.some(day => day.shortfall_g === null)
  return (
    <Tile
      head={t('sites.tileFed')}
      value={known.length > 0 ? weight(sum(known.map(day => day.fed_g))) : t('common.unknown')}
      tone={known.length === 0 ? 'unknown' : undefined}
    >
      {known.length > 0 &&
        t('sites.tileDue', { amount: weight(sum(known.map(day => (day.due_g ?? 0) + day.asked_g))) })}
      {least && ` · ${t('sites.tileLeast')}`}
      {missing > 0 && known.length > 0 && ` · ${t('sites.tileFedUnknown', { count: missing })}`}
      {fedAsOf.value && <span class="unseen"> {t('sites.asOf', { time: shortTime(fedAsOf.value, serverNow()) })}</span>}
    </Tile>
  )
}
