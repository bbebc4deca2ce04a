import { read } from '../api/client'
import { type Reading, useReading } from './reading'

export type Value = boolean | number | string

/** What the console reads of a W3C Thing Description: type, unit and limits of a value. */
export interface Schema {
  readonly type: 'boolean' | 'integer' | 'number' | 'string'
  readonly title?: string | null
  readonly description?: string | null
  readonly unit?: string | null
  readonly minimum?: number | null
  readonly maximum?: number | null
  readonly multipleOf?: number | null
  readonly maxLength?: number | null
  readonly enum?: readonly Value[] | null
  readonly readOnly?: boolean
  /** It counts the minutes of a day, at which a meal begins; the meal plan says so, see {@link describe}. */
  readonly clock?: boolean
}

export interface Interlock {
  readonly name: string
  readonly property: string
  readonly comparison: 'equals' | 'below' | 'above'
  readonly value: Value
  readonly title?: string | null
}

export interface Action {
  readonly title?: string | null
  readonly description?: string | null
  readonly input?: { readonly properties?: Readonly<Record<string, Schema>> }
  readonly 'tidegate:argument'?: string | null
  readonly 'tidegate:limits'?: Readonly<Partial<Record<'largest' | 'least_gap_s' | 'most_per_day', number>>>
  readonly 'tidegate:interlocks'?: readonly Interlock[]
}

/** Which settings say when a feeder feeds by itself; while `schedule` is on (or not named) the slots count. */
export interface MealPlan {
  readonly enabled?: string | null
  readonly interval?: string | null
  readonly portion?: string | null
  readonly schedule?: string | null
  readonly slots?: readonly { readonly minute: string; readonly grams: string }[]
  readonly time_zone?: string
}

export interface Description {
  readonly title: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly actions?: Readonly<Record<string, Action>>
  readonly 'tidegate:plc'?: string
  readonly 'tidegate:meals'?: MealPlan | null
}

/** @throws Problem */
export async function describe(site: string, device: string, signal?: AbortSignal): Promise<Description> {
  const path = { site, device }
  const answer = await read('/v1/sites/{site}/devices/{device}/description', { path, ...(signal ? { signal } : {}) })
  return withClocks(answer.body as unknown as Description)
}

function withClocks(described: Description): Description {
  const minutes = (described['tidegate:meals']?.slots ?? []).map(each => each.minute)
  const properties = Object.entries(described.properties ?? {}).map(([name, schema]): [string, Schema] => [
    name,
    minutes.includes(name) ? { ...schema, clock: true } : schema,
  ])
  return { ...described, properties: Object.fromEntries(properties) }
}

export function useDescription(site: string, device: string): Reading<Description> {
  return useReading(signal => describe(site, device, signal), [site, device])
}

/** Whether an interlock forbids by what was last read; what is not known forbids too, as it does at the site. */
export function holds(interlock: Interlock, live: Value | null | undefined): boolean {
  if (live === null || live === undefined) return true
  if (interlock.comparison === 'equals' || typeof live === 'string') return live === interlock.value
  return interlock.comparison === 'below' ? live < interlock.value : live > interlock.value
}
