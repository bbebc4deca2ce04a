import type { components } from '../../api/schema'

export type Command = components['schemas']['Command']
export type Happening = components['schemas']['Event']
export type MarkKind = 'dose' | 'write' | 'panel' | 'alarm' | 'event'
export const MARK_KINDS: readonly MarkKind[] = ['dose', 'write', 'panel', 'alarm', 'event']

/** Something that happened, at its place on the axis of time. */
export type Mark = { readonly atMs: number; readonly id: string } & (
  | { readonly kind: 'dose' | 'write'; readonly command: Command }
  | { readonly kind: 'panel' | 'alarm' | 'event'; readonly event: Happening }
)

const CHANGED_AT_SITE = 'changed-at-site'

/** Commands and events in the order of their times. */
export function marksOf(commands: readonly Command[], events: readonly Happening[]): Mark[] {
  const marks: Mark[] = [
    ...commands.map(command => ({
      id: command.id,
      atMs: Date.parse(command.issued_at ?? command.deadline_at),
      kind: command.name === 'write' ? ('write' as const) : ('dose' as const),
      command,
    })),
    ...events.map(event => ({ id: event.id, atMs: Date.parse(event.at), kind: kindOf(event), event })),
  ]
  return marks.sort((one, other) => one.atMs - other.atMs)
}

function kindOf({ name, active, severity }: Happening): 'panel' | 'alarm' | 'event' {
  if (name === CHANGED_AT_SITE) return 'panel'
  return active === null && severity === null ? 'event' : 'alarm'
}

/** Marks that would lie on each other, as one place. */
export interface Cluster {
  readonly atMs: number
  readonly marks: readonly Mark[]
}

/** Each place holds what lies within `widthMs` of its first mark. */
export function clustered(marks: readonly Mark[], widthMs: number): Cluster[] {
  const found: { firstMs: number; marks: Mark[] }[] = []
  for (const each of marks) {
    const last = found.at(-1)
    if (last && each.atMs - last.firstMs < widthMs) last.marks.push(each)
    else found.push({ firstMs: each.atMs, marks: [each] })
  }
  return found.map(({ firstMs, marks: inside }) => ({
    atMs: (firstMs + (inside.at(-1)?.atMs ?? firstMs)) / 2,
    marks: inside,
  }))
}

/** What a place looks like: the kind that matters most of what it holds. */
export function leading({ marks }: Cluster): MarkKind {
  const order: readonly MarkKind[] = ['alarm', 'panel', 'dose', 'write', 'event']
  return order.find(kind => marks.some(each => each.kind === kind)) ?? 'event'
}
