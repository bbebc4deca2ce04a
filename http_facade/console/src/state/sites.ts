import { computed, effect, signal } from '@preact/signals'
import { read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import type { components } from '../api/schema'
import { now, serverNow } from './clock'
import { epoch, onTold } from './connection'
import { forgetToday, learnToday } from './overview'
import { session } from './session'

export type Site = components['schemas']['Site']

/** A site, and by the facade's clock when that was known. */
export interface KnownSite extends Site {
  /** When this was read or told, in milliseconds since 1970. */
  readonly knownAt: number
  /** When the site was last heard, in the same; null if never. Ages are counted from this, not from numbers that were read. */
  readonly heardAt: number | null
}

/** By name; undefined until they were read once. */
export const sites = signal<ReadonlyMap<string, KnownSite> | undefined>(undefined)
export const sitesProblem = signal<Problem | undefined>(undefined)

/**
 * A gate that shuts is no change that a stream could tell: it is a beat that did not come. So the sites are read again
 * in between, more often than a site may be silent.
 */
const AGAIN_MS = 8_000
/** What is older than this is not known now: two readings have failed, or this page was asleep. */
const FRESH_MS = 2 * AGAIN_MS + 2_000

export async function readSites(): Promise<void> {
  try {
    const { body } = await read('/v1/overview')
    sites.value = new Map(body.items.map(each => [each.site, known(each)]))
    learnToday(body)
    sitesProblem.value = undefined
  } catch (error) {
    sitesProblem.value = asProblem(error)
  }
}

/** Read one site, more often than all of them: for whoever looks at it. @throws Problem */
export async function readSite(site: string): Promise<void> {
  const { body } = await read('/v1/sites/{site}', { path: { site } })
  if (sites.value) sites.value = new Map(sites.value).set(site, known(body))
}

/** What was read, with ages turned into moments. */
export function known(site: Site): KnownSite {
  return { ...site, knownAt: serverNow(), heardAt: site.last_beat_at === null ? null : Date.parse(site.last_beat_at) }
}

/** Whether what is known of the site still holds now. */
export function isFresh(site: KnownSite): boolean {
  return now.value - site.knownAt < FRESH_MS
}

/** Whether the site is online now; null where nobody can tell, or nobody has told for too long. */
export function onlineNow(site: KnownSite): boolean | null {
  return isFresh(site) ? site.online : null
}

/** Names of the sites that are not known now, as one text, so that a page of hundreds is not drawn anew every second. */
const staleNames = computed(() => {
  const all = [...(sites.value?.values() ?? [])]
  return all
    .filter(each => !isFresh(each))
    .map(each => each.site)
    .join(' ')
})
export const staleSites = computed<ReadonlySet<string>>(() => new Set(staleNames.value.split(' ')))

onTold('status', told => {
  const next = new Map(sites.value)
  if ('gone' in told) next.delete(told.site)
  else next.set(told.site, known(told))
  if (sites.value) sites.value = next
})

effect(() => {
  epoch.value
  if (!session.value) {
    sites.value = undefined
    forgetToday()
    return
  }
  void readSites()
  const again = () => {
    if (!document.hidden) void readSites()
  }
  const timer = setInterval(again, AGAIN_MS)
  // What was not read while nobody looked is read at the first glance.
  document.addEventListener('visibilitychange', again)
  return () => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', again)
  }
})
