import type { components } from '../../api/schema'
import { ROLES, type Role, type Session } from '../../state/session'

export type Token = components['schemas']['Token']
export type TokenMade = components['schemas']['TokenMade']
export type AccountOf = components['schemas']['AccountOf']

export const MOST_DAYS = 3_650
export const DEFAULT_DAYS = 365
export const LONGEST_NAME = 64

/** The roles that somebody may give: nobody gives more than the own one. */
export function given(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1)
}

/** What the form holds; a token for no site at all is none. */
export interface Wish {
  readonly name: string
  readonly role: Role
  /** Null: every site, those to come as well. */
  readonly sites: readonly string[] | null
  readonly days: number | undefined
}

export type Wrong = Partial<Record<'name' | 'sites' | 'days', true>>

/** What the facade would refuse. */
export function wrongIn({ name, sites, days }: Wish): Wrong {
  return {
    ...(name.trim().length >= 1 && name.trim().length <= LONGEST_NAME ? {} : { name: true }),
    ...(sites === null || sites.length > 0 ? {} : { sites: true }),
    ...(days !== undefined && Number.isInteger(days) && days >= 1 && days <= MOST_DAYS ? {} : { days: true }),
  }
}

/** Who sees only some sites gives those alone. */
export const mayGiveEverySite = (session: Session) => session.sites === null

/** Those that open something first, the newest before the others. */
export function inOrder(tokens: readonly Token[]): Token[] {
  const rank = (each: Token) => (each.state === 'good' ? 0 : 1)
  return [...tokens].sort(
    (one, other) => rank(one) - rank(other) || Date.parse(other.created_at) - Date.parse(one.created_at),
  )
}
