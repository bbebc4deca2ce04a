import { momentOf, wallTime } from '../../format/zoned'

/** From one moment to another, in milliseconds since 1970. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** What is looked at: so long, until then; without an end it follows the present. */
export interface View {
  readonly spanMs: number
  readonly endMs: number | undefined
}

const HOUR_MS = 3_600_000
export const SPANS = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
  year: 365 * 24 * HOUR_MS,
} as const
export type SpanName = keyof typeof SPANS
export const SPAN_NAMES = Object.keys(SPANS) as SpanName[]
/** Shorter ones hold no more than a sample or two; longer ones nothing that was kept. */
export const SHORTEST_MS = 10_000
export const LONGEST_MS = 5 * SPANS.year

export const spanOf = ({ fromMs, toMs }: Stretch) => toMs - fromMs

export function stretchOf({ spanMs, endMs }: View, nowMs: number): Stretch {
  const toMs = endMs ?? nowMs
  return { fromMs: toMs - spanMs, toMs }
}

/** A stretch as a view: one that reaches the present follows it, and none lies beyond. */
export function viewOf({ fromMs, toMs }: Stretch, nowMs: number): View {
  const spanMs = Math.min(Math.max(toMs - fromMs, SHORTEST_MS), LONGEST_MS)
  return { spanMs, endMs: toMs >= nowMs ? undefined : toMs }
}

/** Longer or shorter by a factor, so that `share` of it, from its beginning, stays where it is. */
export function zoomed({ fromMs, toMs }: Stretch, factor: number, share = 0.5): Stretch {
  const spanMs = Math.min(Math.max((toMs - fromMs) * factor, SHORTEST_MS), LONGEST_MS)
  const keptMs = fromMs + (toMs - fromMs) * share
  return { fromMs: keptMs - spanMs * share, toMs: keptMs + spanMs * (1 - share) }
}

/** Later, or with a negative share of its length earlier. */
export function panned({ fromMs, toMs }: Stretch, share: number): Stretch {
  const byMs = (toMs - fromMs) * share
  return { fromMs: fromMs + byMs, toMs: toMs + byMs }
}

/** Fingers nearer to each other than this share of the width say nothing about a length. */
const NEAREST = 0.02

/**
 * What is seen after one or two fingers moved: each moment stays under its finger. Fingers are where they touch, as
 * shares of the width from its beginning.
 */
export function carried(stretch: Stretch, before: readonly number[], after: readonly number[]): Stretch {
  const [first = 0, second] = before
  const [firstNow = 0, secondNow] = after
  if (second === undefined || secondNow === undefined) return panned(stretch, first - firstNow)
  const apart = Math.max(NEAREST, Math.abs(secondNow - firstNow))
  const factor = Math.abs(second - first) / apart
  const spanMs = Math.min(Math.max(spanOf(stretch) * factor, SHORTEST_MS), LONGEST_MS)
  const middleMs = stretch.fromMs + (spanOf(stretch) * (first + second)) / 2
  const fromMs = middleMs - (spanMs * (firstNow + secondNow)) / 2
  return { fromMs, toMs: fromMs + spanMs }
}

export interface Looked {
  readonly properties: readonly string[]
  readonly view: View
}

/** What an address asks to see; whatever it does not say is the last day. */
export function looked(query: URLSearchParams): Looked {
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
  const span = query.get('span') ?? ''
  const properties = query.getAll('property')
  if (from < to) return { properties, view: { spanMs: Math.min(to - from, LONGEST_MS), endMs: to } }
  const named = span in SPANS ? SPANS[span as SpanName] : Number(span) * 1_000
  const spanMs = named >= SHORTEST_MS && named <= LONGEST_MS ? named : SPANS.day
  return { properties, view: { spanMs, endMs: undefined } }
}

/** The same as an address has it: a link to it shows the same, and one that follows the present follows it there. */
export function query({ properties, view }: Looked): URLSearchParams {
  const asked = new URLSearchParams(properties.map(each => ['property', each]))
  if (view.endMs === undefined) {
    asked.set('span', spanName(view) ?? String(Math.round(view.spanMs / 1_000)))
  } else {
    asked.set('from', new Date(view.endMs - view.spanMs).toISOString())
    asked.set('to', new Date(view.endMs).toISOString())
  }
  return asked
}

export function spanName({ spanMs }: View): SpanName | undefined {
  return SPAN_NAMES.find(each => SPANS[each] === Math.round(spanMs))
}

/** What two fields hold, in the zone's time; undefined if they are no stretch. */
export function written(from: string, to: string, zone: string): Stretch | undefined {
  const [fromMs, toMs] = [momentOf(from, zone), momentOf(to, zone)]
  if (fromMs === undefined || toMs === undefined || toMs - fromMs < SHORTEST_MS || toMs - fromMs > LONGEST_MS)
    return undefined
  return { fromMs, toMs }
}

export const fields = ({ fromMs, toMs }: Stretch, zone: string) => ({
  from: wallTime(fromMs, zone),
  to: wallTime(toMs, zone),
})
