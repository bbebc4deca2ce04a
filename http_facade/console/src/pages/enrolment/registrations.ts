import type { components } from '../../api/schema'
import type { KnownSite } from '../../state/sites'

export type Registered = components['schemas']['Registered']
export type Invited = components['schemas']['Invited']

/** A site's name as the facade takes it: lower-case letters, digits and inner dashes, 48 characters at most. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/
export const isSiteName = (name: string) => NAME.test(name)

export const HOURS = ['1', '8', '24', '168'] as const
export type Hours = (typeof HOURS)[number]

const DAY_MS = 86_400_000
/** Agents renew when a third of 90 days is left, and their log calls it an error from 14 days on. */
const RENEWED_DAYS = 30
const LATE_DAYS = 14

/** Whole days that a certificate is still good; null where there is none. */
export function daysLeft({ certificate_ends_at: ends }: Registered, nowMs: number): number | null {
  return ends === null ? null : Math.max(0, Math.floor((Date.parse(ends) - nowMs) / DAY_MS))
}

export function urgency(days: number): 'ok' | 'warning' | 'critical' {
  return days < LATE_DAYS ? 'critical' : days < RENEWED_DAYS ? 'warning' : 'ok'
}

/** How a site stood when its code was made. */
export interface Before {
  readonly certificateEndsAt: string | null
  /** Since when it was online, or not. */
  readonly since: string | null
}

export const standing = (registered: Registered | undefined, site: KnownSite | undefined): Before => ({
  certificateEndsAt: registered?.certificate_ends_at ?? null,
  since: site?.since ?? null,
})

/** How far a site has come with its code. */
export interface Progress {
  readonly enrolled: boolean
  readonly online: boolean
}

/** What counts is what is new since the code was made: a site that enrols again may have been there all the time. */
export function progressOf(before: Before, registered: Registered | undefined, site: KnownSite | undefined): Progress {
  const { certificateEndsAt, since } = standing(registered, site)
  const enrolled =
    registered?.state === 'enrolled' && certificateEndsAt !== null && certificateEndsAt !== before.certificateEndsAt
  return { enrolled, online: enrolled && site?.online === true && since !== before.since }
}
