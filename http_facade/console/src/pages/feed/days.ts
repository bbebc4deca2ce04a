import type { components } from '../../api/schema'
import { dayAfter } from '../../format/zoned'

export type Fed = components['schemas']['Fed']
export type FeedTotals = components['schemas']['FeedTotals']

/** What a day has in grams; null is not known, which is not nothing. */
export type Grams = Exclude<keyof Fed, 'doses'>
export const GRAMS: readonly Grams[] = [
  'fed_g',
  'planned_g',
  'due_g',
  'asked_g',
  'counted_g',
  'short_g',
  'shortfall_g',
  'unknown_g',
  'refused_g',
]

export const PERIODS = { week: 7, month: 30, quarter: 91 } as const
export type Period = keyof typeof PERIODS
export const PERIOD_NAMES = Object.keys(PERIODS) as Period[]

/** Days of one feeder, or of all together. */
export interface Day extends Fed {
  readonly date: string
}

/** The first and the last day of a period that ends on a day; both are meant. */
export function daysOf(period: Period, last: string): { from: string; to: string } {
  return { from: dayAfter(last, 1 - PERIODS[period]), to: last }
}

/** The days of a feeder, or without one of the whole site. A day before it was there has no entry of it. */
export function shownDays({ days }: FeedTotals, device: string | undefined): Day[] {
  return days.flatMap(({ date, total, devices }) => {
    const found = device === undefined ? total : devices.find(each => each.device === device)
    return found ? [{ ...found, date }] : []
  })
}

export const devicesIn = ({ days }: FeedTotals): string[] => [
  ...new Set(days.flatMap(each => each.devices.map(({ device }) => device))),
]

export interface Sum {
  readonly known: number
  /** So many days are not in it, for nobody knows. */
  readonly unknownDays: number
}

/** What the days come to, and how many of them could not be added. */
export function sumOf(days: readonly Day[], grams: Grams): Sum {
  const known = days.map(each => each[grams]).filter(each => each !== null)
  return { known: known.reduce((sum, each) => sum + each, 0), unknownDays: days.length - known.length }
}

/** A day as a bar: what fell, of that by doses, and what is missing above it. */
export interface Bar {
  readonly date: string
  /** Null: nobody read how much fell. */
  readonly fed: number | null
  /** Of `fed`, what doses brought that somebody commanded; the rest were meals. */
  readonly byDoses: number
  readonly shortfall: number
  readonly unknown: number
  readonly planned: number | null
}

export function barOf(day: Day): Bar {
  const fed = day.fed_g
  return {
    date: day.date,
    fed,
    byDoses: Math.min(day.counted_g, fed ?? 0),
    shortfall: fed === null ? 0 : Math.max(0, day.shortfall_g ?? 0),
    unknown: day.unknown_g,
    planned: day.planned_g,
  }
}

/** The highest that the bars reach, rounded up to a number that an axis can be cut at. */
export function ceiling(bars: readonly Bar[]): { most: number; step: number } {
  const highest = Math.max(
    1,
    ...bars.map(each => Math.max((each.fed ?? 0) + each.shortfall + each.unknown, each.planned ?? 0)),
  )
  const rough = highest / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map(each => each * power).find(each => each >= rough) ?? 10 * power
  return { most: Math.ceil(highest / step) * step, step }
}
