import { withUnit } from '../../format/numbers'
import { dateTime } from '../../format/times'
import { Icon, type IconName } from '../../parts/icons'
import { t, wordsOf } from '../../words/words'
import { StateBadge } from '../commands/StateBadge'
import { to } from '../routes'
import type { Command, Happening, Mark, MarkKind } from './marks'

export const MARK_ICONS: Record<MarkKind, IconName> = {
  dose: 'feed',
  write: 'commands',
  panel: 'hand',
  alarm: 'alarms',
  event: 'information',
}

/** So many are told; of more only how many there are. */
const MOST = 6

/** What happened, one line each. */
export function MarkList({ marks, zone }: { marks: readonly Mark[]; zone: string }) {
  return (
    <ul class="mark-list">
      {marks.slice(0, MOST).map(each => (
        <li key={each.id}>
          <span class={`mark-sign mark-${each.kind}`}>
            <Icon name={MARK_ICONS[each.kind]} size={16} />
          </span>
          <time class="digits quiet" dateTime={new Date(each.atMs).toISOString()}>
            {dateTime(each.atMs, zone)}
          </time>
          {'command' in each ? <Commanded command={each.command} /> : <Happened event={each.event} />}
        </li>
      ))}
      {marks.length > MOST && <li class="quiet">{t('history.andMore', { count: marks.length - MOST })}</li>}
    </ul>
  )
}

function Commanded({ command }: { command: Command }) {
  const { id, name, input, actor, requester, state } = command
  return (
    <>
      <a href={to.command(id)}>
        <bdi>{name}</bdi>: <bdi>{pairs(input)}</bdi>
      </a>
      <span class="quiet">
        <bdi>{actor ?? requester}</bdi>
      </span>
      <StateBadge state={state} />
      {state !== 'applied' && command.code && <span class="quiet">{wordsOf(command.code)}</span>}
    </>
  )
}

function Happened({ event }: { event: Happening }) {
  const { name, data, detail, active } = event
  if (name === 'changed-at-site') {
    return (
      <span>
        <bdi>{String(data.property)}</bdi>: {withUnit(data.old)} → {withUnit(data.new)}
      </span>
    )
  }
  return (
    <span>
      <bdi>{name}</bdi>
      {active !== null && ` (${t(active ? 'history.raised' : 'history.cleared')})`}
      {detail && (
        <>
          : <bdi>{detail}</bdi>
        </>
      )}
    </span>
  )
}

export function pairs(values: Readonly<Record<string, boolean | number | string | null>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${withUnit(value)}`)
    .join(', ')
}
