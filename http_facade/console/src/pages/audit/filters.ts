import type { components } from '../../api/schema'
import { momentOf } from '../../format/zoned'

export type Kind = components['schemas']['Kind']
export const KINDS: readonly Kind[] = ['asked', 'refused', 'cancel', 'ended', 'done']

/** What the fields hold; empty is everything. Times are as fields for day and time have them. */
export interface Filters {
  readonly site: string
  readonly person: string
  readonly kind: Kind | ''
  readonly from: string
  readonly to: string
}
export const NONE: Filters = { site: '', person: '', kind: '', from: '', to: '' }
const NAMES = Object.keys(NONE) as (keyof Filters)[]

/** What an address asks for; a kind that there is not asks for every one. */
export function filtersOf(query: URLSearchParams): Filters {
  const found = Object.fromEntries(NAMES.map(name => [name, query.get(name) ?? ''])) as Record<keyof Filters, string>
  return { ...found, kind: KINDS.find(each => each === found.kind) ?? '' }
}

export function address(filters: Filters): string {
  const asked = new URLSearchParams(NAMES.filter(name => filters[name]).map(name => [name, filters[name]]))
  return asked.size > 0 ? `?${asked}` : ''
}

/** The filters as the facade takes them: a name with an at sign is one at the broker, any other of a caller of a facade. */
export function asked({ site, person, kind, from, to }: Filters, zone: string) {
  const name = person.trim()
  const moment = (wall: string) => {
    const found = momentOf(wall, zone)
    return found === undefined ? undefined : new Date(found).toISOString()
  }
  return {
    ...(site ? { site } : {}),
    ...(name ? (name.startsWith('@') ? { principal: name } : { actor: name }) : {}),
    ...(kind ? { kind } : {}),
    ...defined('from', moment(from)),
    ...defined('to', moment(to)),
  }
}

function defined<N extends string>(name: N, value: string | undefined): Partial<Record<N, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<N, string>)
}

export type Row = components['schemas']['AuditRow']
type Scalar = boolean | number | string | null

/** A value before and after, as far as the row tells; undefined is not told, null is not known. */
export interface FromTo {
  readonly name: string
  readonly before: Scalar | undefined
  readonly after: Scalar | undefined
}

/** What a row says of values: of a wish what was held and what is wanted, of an end what was read afterwards. */
export function changesOf({ input, before, result }: Row): FromTo[] {
  const after = { ...(input as Record<string, unknown> | null), ...result }
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after)])
  return [...names].map(name => ({ name, before: before?.[name], after: scalar(after[name]) }))
}

function scalar(value: unknown): Scalar | undefined {
  if (value === undefined || value === null) return value
  return ['boolean', 'number', 'string'].includes(typeof value) ? (value as Scalar) : JSON.stringify(value)
}
