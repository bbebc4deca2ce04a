import { now } from './clock'
import { connection } from './connection'
import { type KnownSite, sites, sitesProblem } from './sites'

/** Why nothing may be asked for now; by the same rules by which the facade would refuse it. */
export interface Closed {
  readonly why: 'unread' | 'not-live' | 'silent' | 'unknown' | 'plc-lost'
  /** Since when, by the facade's clock; null if nobody ever heard it. */
  readonly since: number | null
}

/** Beyond this, what the browser last read of the gate says nothing any more. */
const OLD_MS = 25_000

/** Whether a device's forms are closed, and why; undefined if a command may pass. Follows signals in a rendering. */
export function closedFor(site: string, plc: string | null): Closed | undefined {
  const { state, asOf } = connection.value
  const known = sites.value?.get(site)
  if (state === 'offline') return { why: 'not-live', since: asOf ?? null }
  if (sitesProblem.value && (!known || now.value - known.knownAt > OLD_MS / 2)) {
    return { why: 'not-live', since: known?.knownAt ?? null }
  }
  return known ? closed(known, plc, now.value) : { why: 'unread', since: null }
}

export function closed(site: KnownSite, plc: string | null, nowMs: number): Closed | undefined {
  if (nowMs - site.knownAt > OLD_MS) return { why: 'not-live', since: site.knownAt }
  if (site.online === null) return { why: 'unknown', since: site.knownAt }
  if (!site.online) return { why: 'silent', since: site.heardAt }
  if (plc !== null && site.plcs[plc] !== 'ok') return { why: 'plc-lost', since: null }
  return undefined
}
