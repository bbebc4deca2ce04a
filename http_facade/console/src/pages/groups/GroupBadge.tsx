import type { components } from '../../api/schema'
import { Badge, type Tone } from '../../parts/Badge'
import { t } from '../../words/words'
import { STATES, type State, StateBadge } from '../commands/StateBadge'

export type Group = components['schemas']['Group']
export type GroupInFull = components['schemas']['GroupInFull']
export type Target = components['schemas']['GroupTarget']

const TONES: Readonly<Record<Group['state'], Tone>> = {
  previewed: 'accent',
  running: 'accent',
  finished: 'ok',
  stopped: 'warning',
  interrupted: 'critical',
  expired: 'unknown',
}

export function GroupBadge({ group }: { group: Group }) {
  const tone = group.state === 'finished' && group.progress.failed > 0 ? 'warning' : TONES[group.state]
  return <Badge tone={tone}>{t(`groups.${group.state}`)}</Badge>
}

const OWN: Readonly<Record<string, Tone>> = {
  waiting: 'accent',
  'not-sent': 'unknown',
  begun: 'unknown',
  refused: 'critical',
}
const WORDS = {
  waiting: 'groups.waiting',
  'not-sent': 'groups.not-sent',
  begun: 'groups.begun',
  refused: 'groups.denied',
} as const

/** A target is in the state of its command, or has none yet. */
export function TargetBadge({ state }: { state: string }) {
  if (STATES.includes(state as State)) return <StateBadge state={state as State} />
  const words = state in WORDS ? t(WORDS[state as keyof typeof WORDS]) : state
  return <Badge tone={OWN[state] ?? 'unknown'}>{words}</Badge>
}

/** How many targets have come to an end of some kind. */
export function done(group: Group): number {
  const open = ['waiting', 'begun', 'pending', 'accepted'].reduce(
    (sum, state) => sum + (group.progress.states[state] ?? 0),
    0,
  )
  return group.progress.targets - open
}
