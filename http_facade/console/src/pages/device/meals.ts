import type { MealPlan, Value } from '../../state/description'

export const DAY_MIN = 1_440

export interface Meal {
  readonly slot: number
  readonly minuteName: string
  readonly gramsName: string
  /** Undefined where it is not known, or no minute of a day. */
  readonly minute: number | undefined
  readonly grams: number | undefined
}

export type ValueAt = (name: string) => Value | null | undefined

export function mealsOf(plan: MealPlan, valueAt: ValueAt): readonly Meal[] {
  return (plan.slots ?? []).map(({ minute, grams }, index) => ({
    slot: index + 1,
    minuteName: minute,
    gramsName: grams,
    minute: within(numeric(valueAt(minute))),
    grams: numeric(valueAt(grams)),
  }))
}

/** How it feeds by itself: by the slots, every so many minutes, or not at all; undefined where nobody knows. */
export function modeOf(plan: MealPlan, valueAt: ValueAt): 'slots' | 'interval' | 'off' | undefined {
  const enabled = plan.enabled ? valueAt(plan.enabled) : true
  if (typeof enabled !== 'boolean') return undefined
  if (!enabled) return 'off'
  if (!plan.slots?.length) return 'interval'
  const schedule = plan.schedule ? valueAt(plan.schedule) : true
  return typeof schedule !== 'boolean' ? undefined : schedule ? 'slots' : 'interval'
}

/** Grams of a whole day by these settings; undefined where nobody can say. */
export function perDay(plan: MealPlan, valueAt: ValueAt): number | undefined {
  const mode = modeOf(plan, valueAt)
  if (mode === undefined) return undefined
  if (mode === 'off') return 0
  if (mode === 'interval') {
    const everyMin = plan.interval ? numeric(valueAt(plan.interval)) : undefined
    const grams = plan.portion ? numeric(valueAt(plan.portion)) : undefined
    return everyMin && grams !== undefined ? Math.floor(DAY_MIN / everyMin) * grams : undefined
  }
  const meals = mealsOf(plan, valueAt)
  if (meals.some(each => each.grams === undefined)) return undefined
  return meals.reduce((sum, { minute, grams }) => sum + (minute === undefined ? 0 : (grams ?? 0)), 0)
}

/** The minute of the day in `07:30`. */
export function minuteOf(clock: string): number | undefined {
  const found = /^(\d\d):(\d\d)/.exec(clock)
  return found ? within(Number(found[1]) * 60 + Number(found[2])) : undefined
}

/** Where a meal goes that is moved: it stays within the day, on the step. */
export function moved(minute: number, byMin: number, stepMin = 1): number {
  const wanted = Math.round((minute + byMin) / stepMin) * stepMin
  return Math.min(Math.max(wanted, 0), Math.floor((DAY_MIN - 1) / stepMin) * stepMin)
}

/** Labels that would lie over one another stand on levels: for each minute the level of its own. */
export function levels(minutes: readonly number[], apartMin: number): readonly number[] {
  const ends: number[] = []
  const found = new Array<number>(minutes.length).fill(0)
  for (const index of minutes.map((_, place) => place).sort((a, b) => at(minutes, a) - at(minutes, b))) {
    const free = ends.findIndex(end => at(minutes, index) - end >= apartMin)
    const level = free === -1 ? ends.length : free
    ends[level] = at(minutes, index)
    found[index] = level
  }
  return found
}

/** The minute of the day at a place on earth; undefined where this browser does not know its zone. */
export function minuteNow(nowMs: number, zone: string): number | undefined {
  try {
    return minuteOf(new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'short' }).format(nowMs))
  } catch {
    return undefined
  }
}

const at = (minutes: readonly number[], index: number) => minutes[index] ?? 0
const within = (minute: number | undefined) =>
  minute !== undefined && minute >= 0 && minute < DAY_MIN ? Math.floor(minute) : undefined
const numeric = (value: Value | null | undefined) => (typeof value === 'number' ? value : undefined)
