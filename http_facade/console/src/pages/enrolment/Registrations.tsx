import { day } from '../../format/times'
import { Badge, type Tone } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { now } from '../../state/clock'
import type { Reading } from '../../state/reading'
import { t } from '../../words/words'
import { to } from '../routes'
import { daysLeft, type Registered, urgency } from './registrations'

const TONES: Record<string, Tone> = {
  waiting: 'accent',
  enrolled: 'ok',
  expired: 'critical',
  revoked: 'unknown',
  removed: 'unknown',
}

/** The sites that were let in, and for how long their certificates are good. */
export function Registrations({ registrations }: { registrations: Reading<Registered[]> }) {
  const { value, problem, again } = registrations
  return (
    <Card title={t('enrolment.registered')}>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {value ? (
        <Table
          caption={t('enrolment.registered')}
          columns={columns(now.value)}
          rows={value}
          keyOf={each => each.site}
          empty={t('enrolment.none')}
        />
      ) : (
        !problem && <Skeleton lines={4} />
      )}
    </Card>
  )
}

function columns(nowMs: number): Column<Registered>[] {
  return [
    {
      key: 'site',
      head: t('enrolment.site'),
      cell: each => (
        <a href={to.site(each.site)}>
          <bdi>{each.site}</bdi>
        </a>
      ),
    },
    {
      key: 'state',
      head: t('enrolment.state'),
      cell: each => <Badge tone={TONES[each.state] ?? 'unknown'}>{stateWords(each.state)}</Badge>,
    },
    {
      key: 'registered',
      head: t('enrolment.since'),
      cell: each => <span class="digits">{day(each.registered_at)}</span>,
    },
    { key: 'left', head: t('enrolment.certificate'), cell: each => <Left each={each} nowMs={nowMs} /> },
  ]
}

const STATES = ['waiting', 'enrolled', 'expired', 'revoked', 'removed'] as const
function stateWords(state: string): string {
  const known = STATES.find(each => each === state)
  return known ? t(`enrolment.${known}`) : state
}

function Left({ each, nowMs }: { each: Registered; nowMs: number }) {
  const days = daysLeft(each, nowMs)
  if (days === null || each.state !== 'enrolled') return <span class="quiet">–</span>
  const words = t('enrolment.daysLeft', { count: days })
  return (
    <span class="enrolment-left">
      {urgency(days) === 'ok' ? <span>{words}</span> : <Badge tone={urgency(days)}>{words}</Badge>}
      <span class="quiet digits">{each.certificate_ends_at && day(each.certificate_ends_at)}</span>
    </span>
  )
}
