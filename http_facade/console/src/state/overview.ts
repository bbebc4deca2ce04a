import { computed, effect, signal } from '@preact/signals'
import { read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import type { components } from '../api/schema'
import { serverNow } from './clock'
import { epoch } from './connection'
import { session } from './session'
import { sites } from './sites'

export type Fed = components['schemas']['Fed']

/** The day that it is at a site, and what of it was fed. */
export interface Today {
  /** IANA name; what the site's times are shown in. */
  readonly zone: string
  readonly date: string
  readonly total: Fed
}

/** By site; undefined until they were read once. */
export const today = signal<ReadonlyMap<string, Today> | undefined>(undefined)
export const todayProblem = signal<Problem | undefined>(undefined)
/** When it was read, by the facade's clock. */
export const todayAt = signal<number | undefined>(undefined)

/** What was fed is no change that the stream tells; the counters themselves are kept once in a quarter of a minute at most. */
const AGAIN_MS = 20_000

export async function readToday(): Promise<void> {
  try {
    const names = [...(sites.peek()?.keys() ?? [])]
    const answers = await Promise.all(names.map(site => read('/v1/sites/{site}/feed-totals', { path: { site } })))
    today.value = new Map(
      answers.flatMap(({ body }) => {
        const day = body.days.at(-1)
        return day ? [[body.site, { zone: body.zone, date: day.date, total: day.total }]] : []
      }),
    )
    todayAt.value = serverNow()
    todayProblem.value = undefined
  } catch (error) {
    todayProblem.value = asProblem(error)
  }
}

/** In which zone a site's times are shown; undefined, which means this machine's, until it is known. */
export function zoneOf(site: string): string | undefined {
  return today.value?.get(site)?.zone
}

const known = computed(() => sites.value !== undefined)
effect(() => {
  epoch.value
  if (!session.value || !known.value) {
    today.value = undefined
    return
  }
  void readToday()
  const timer = setInterval(() => {
    if (!document.hidden) void readToday()
  }, AGAIN_MS)
  return () => clearInterval(timer)
})
