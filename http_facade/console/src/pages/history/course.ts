import type { components } from '../../api/schema'
import type { Schema, Value } from '../../state/description'
import type { Stretch } from './stretch'

export type Course = components['schemas']['Course']
type Quality = 'good' | 'stale' | 'bad' | 'missing'
export type Reason = Exclude<Quality, 'good'>

export interface Gap extends Stretch {
  /** `missing`: none came though one was due, or nothing was read; else why the site could not read it. */
  readonly reason: Reason
}

/** One property over a stretch, as a chart takes it. Where nothing was read there is null, and nothing in its place. */
export interface Line {
  readonly property: string
  readonly kind: 'number' | 'boolean' | 'text'
  /** Held from each moment to the next: settings, switches and words have nothing in between. */
  readonly steps: boolean
  readonly atMs: readonly number[]
  readonly value: readonly (number | null)[]
  /** Of buckets: the least and the most in each. */
  readonly band: { readonly least: readonly (number | null)[]; readonly most: readonly (number | null)[] } | undefined
  /** Of buckets: how long one is. */
  readonly widthMs: number | undefined
  /** Of words: what the numbers in `value` stand for. */
  readonly words: readonly string[]
  readonly gaps: readonly Gap[]
  /** It has so many words that they came in buckets, which hold none. */
  readonly tooMany: boolean
}

export function lineOf(course: Course, schema: Schema | undefined): Line {
  const kind = kindOf(course, schema)
  const steps = kind !== 'number' || schema?.readOnly === false
  const common = { property: course.property, kind, steps }
  return course.buckets ? { ...common, ...ofBuckets(course, kind) } : { ...common, ...ofSamples(course, kind, schema) }
}

function kindOf({ samples }: Course, schema: Schema | undefined): Line['kind'] {
  if (schema) return schema.type === 'string' ? 'text' : schema.type === 'boolean' ? 'boolean' : 'number'
  const known = samples?.value.find(each => each !== null)
  return typeof known === 'string' ? 'text' : typeof known === 'boolean' ? 'boolean' : 'number'
}

type Rest = Omit<Line, 'property' | 'kind' | 'steps'>

function ofSamples({ samples, to }: Course, kind: Line['kind'], schema: Schema | undefined): Rest {
  const { at_ms: atMs = [], value: values = [], quality = [] } = samples ?? {}
  const words = kind === 'text' ? wordsIn(values, schema) : []
  const value = values.map(each => numberOf(each, words))
  const endMs = Date.parse(to)
  const gaps: Gap[] = []
  value.forEach((each, index) => {
    if (each !== null) return
    const fromMs = atMs[index] ?? endMs
    gaps.push({ fromMs, toMs: atMs[index + 1] ?? endMs, reason: reasonOf(quality[index]) })
  })
  return { atMs, value, band: undefined, widthMs: undefined, words, gaps: joined(gaps), tooMany: false }
}

function ofBuckets({ buckets, to }: Course, kind: Line['kind']): Rest {
  const { start_ms: startMs = 0, width_ms: widthMs = 1, least = [], mean = [], most = [], last = [] } = buckets ?? {}
  const endMs = Date.parse(to)
  // A mean stands in the middle of its bucket, what is held begins where the bucket does.
  const value = kind === 'number' ? mean : last
  const offsetMs = kind === 'number' ? widthMs / 2 : 0
  const gaps: Gap[] = []
  value.forEach((each, index) => {
    const fromMs = startMs + index * widthMs
    if (each === null && mean[index] === null && fromMs < endMs) {
      gaps.push({ fromMs, toMs: Math.min(fromMs + widthMs, endMs), reason: 'missing' })
    }
  })
  const text = kind === 'text'
  return {
    atMs: value.map((_, index) => startMs + index * widthMs + offsetMs),
    value: value.map((each, index) => (kind === 'boolean' ? (each ?? mean[index] ?? null) : each)),
    band: text ? undefined : { least, most },
    widthMs,
    words: [],
    gaps: text ? [] : joined(gaps),
    tooMany: text,
  }
}

function wordsIn(values: readonly (Value | null)[], schema: Schema | undefined): string[] {
  const named = (schema?.enum ?? []).map(String)
  return [...new Set([...named, ...values.filter(each => each !== null).map(String)])]
}

function numberOf(value: Value | null | undefined, words: readonly string[]): number | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? words.indexOf(value) : Number(value)
}

const reasonOf = (quality: Quality | undefined): Reason =>
  quality === 'stale' || quality === 'bad' ? quality : 'missing'

/** Gaps that touch and have the same reason are one. */
function joined(gaps: readonly Gap[]): Gap[] {
  const found: Gap[] = []
  for (const each of gaps) {
    const before = found.at(-1)
    if (before && before.reason === each.reason && before.toMs >= each.fromMs) {
      found[found.length - 1] = { ...before, toMs: each.toMs }
    } else found.push(each)
  }
  return found
}

type Column = readonly (number | null)[]

/**
 * Columns over the same moments: those, and for each line its value and of a band its least and most. What is held goes
 * on until the next sample or gap, or the end of the stretch. Else a moment of another line is undefined, through which
 * a line is drawn, but beside a gap null, through which none is.
 */
export function aligned(lines: readonly Line[], endMs: number): (number | null | undefined)[][] {
  const moments = new Set(lines.flatMap(each => [...each.atMs]))
  if (lines.some(each => each.steps && each.value.at(-1) !== null)) moments.add(endMs)
  const atMs = [...moments].sort((one, other) => one - other)
  const places = new Map(atMs.map((each, place) => [each, place]))
  return [
    atMs,
    ...lines.flatMap(line => {
      const columns: Column[] = [line.value, ...(line.band ? [line.band.least, line.band.most] : [])]
      return columns.map(column => {
        const spread = new Array<number | null | undefined>(atMs.length).fill(undefined)
        line.atMs.forEach((each, place) => {
          spread[places.get(each) ?? 0] = column[place] ?? null
        })
        return line.steps ? held(spread) : widened(spread)
      })
    }),
  ]
}

function held(column: (number | null | undefined)[]): (number | null)[] {
  let last: number | null = null
  return column.map(each => {
    if (each !== undefined) last = each
    return last
  })
}

/** A gap reaches from the last value before it to the first one behind it. */
function widened(column: (number | null | undefined)[]): (number | null | undefined)[] {
  const found = [...column]
  const spread = (places: Iterable<number>) => {
    let gap = false
    for (const place of places) {
      if (column[place] !== undefined) gap = column[place] === null
      else if (gap) found[place] = null
    }
  }
  spread(column.keys())
  spread([...column.keys()].reverse())
  return found
}

/** Where none of the lines was read: what can be shaded without hiding that another one was. */
export function commonGaps(lines: readonly Line[]): Stretch[] {
  const [first, ...others] = lines.map(each => each.gaps as readonly Stretch[])
  return others.reduce<Stretch[]>(
    (found, gaps) =>
      found.flatMap(one =>
        gaps
          .map(other => ({ fromMs: Math.max(one.fromMs, other.fromMs), toMs: Math.min(one.toMs, other.toMs) }))
          .filter(each => each.toMs > each.fromMs),
      ),
    [...(first ?? [])],
  )
}

/** The place in a line of what was known last at that moment; undefined within a gap and before its beginning. */
export function placeAt(line: Line, moment: number): number | undefined {
  let [low, high] = [0, line.atMs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((line.atMs[middle] ?? 0) - (line.kind === 'number' ? (line.widthMs ?? 0) / 2 : 0) <= moment) low = middle + 1
    else high = middle
  }
  const place = low - 1
  const known = place >= 0 && line.value[place] !== null && line.value[place] !== undefined
  return known ? place : undefined
}

export function gapAt(line: Line, moment: number): Gap | undefined {
  return line.gaps.find(each => each.fromMs <= moment && moment < each.toMs)
}
