import { signal } from '@preact/signals'
import type { components } from '../api/schema'

export type Fed = components['schemas']['Fed']
export type Overview = components['schemas']['Overview']

/** What a site's day has come to so far. */
export interface Today {
  /** IANA name; what the site's days and times are shown in. Null: nothing is known of its devices. */
  readonly zone: string | null
  /** Null: it has no feeders, or nothing is known of them. */
  readonly fed: (Fed & { readonly date: string }) | null
}

/** By site; undefined until they were read once. */
export const today = signal<ReadonlyMap<string, Today> | undefined>(undefined)
/** When that was worked out; null: it could not be, and nothing of it is known. */
export const fedAsOf = signal<string | null | undefined>(undefined)

/** Take over what was read of every site. */
export function learnToday(read: Overview): void {
  const before = today.peek()
  // A zone does not change because nobody can tell it now.
  const zoneNow = (site: string, zone: string | null) =>
    read.fed_as_of === null ? (before?.get(site)?.zone ?? null) : zone
  today.value = new Map(read.items.map(({ site, zone, today: fed }) => [site, { zone: zoneNow(site, zone), fed }]))
  fedAsOf.value = read.fed_as_of
}

export function forgetToday(): void {
  today.value = undefined
  fedAsOf.value = undefined
}

/** In which zone a site's times are shown; undefined, which means this machine's, while it is not known. */
export function zoneOf(site: string): string | undefined {
  return today.value?.get(site)?.zone ?? undefined
}
