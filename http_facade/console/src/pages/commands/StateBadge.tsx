import { Badge, type Tone } from '../../parts/Badge'
import type { IconName } from '../../parts/icons'
import type { Command } from '../../state/commands'
import { t } from '../../words/words'

export type State = Command['state']

const LOOKS: Record<State, { tone: Tone; icon?: IconName }> = {
  pending: { tone: 'accent', icon: 'more' },
  accepted: { tone: 'accent', icon: 'more' },
  applied: { tone: 'ok' },
  partial: { tone: 'warning' },
  failed: { tone: 'critical' },
  rejected: { tone: 'critical', icon: 'close' },
  expired: { tone: 'warning', icon: 'meals' },
  unknown: { tone: 'unknown' },
}
export const STATES = Object.keys(LOOKS) as readonly State[]

export function stateWords(state: State): string {
  return t(`commands.${state}`)
}

export function StateBadge({ state }: { state: State }) {
  const { tone, icon } = LOOKS[state]
  return (
    <Badge tone={tone} {...(icon ? { icon } : {})}>
      {stateWords(state)}
    </Badge>
  )
}
