import { expect, test } from 'vitest'
import type { KnownSite } from '../../state/sites'
import { daysLeft, isSiteName, progressOf, type Registered, standing, urgency } from './registrations'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const ENDS = '2027-02-25T12:00:00Z'
const site = (since: string) => ({ online: true, since }) as KnownSite
const registered = (part: Partial<Registered> = {}): Registered => ({
  site: 'arava-1',
  state: 'enrolled',
  registered_at: '2026-11-27T11:00:00Z',
  certificate_ends_at: ENDS,
  revoked_at: null,
  ...part,
})

test('a name is one that the facade takes', () => {
  expect(['arava-1', 'a', '0'].every(isSiteName)).toBe(true)
  expect(['', '-a', 'a-', 'A', 'a_b', 'a b', 'a'.repeat(49)].some(isSiteName)).toBe(false)
})

test('days of a certificate are whole ones, and urgent below those at which agents renew', () => {
  expect(daysLeft(registered(), NOW)).toBe(90)
  expect(daysLeft(registered({ certificate_ends_at: null }), NOW)).toBeNull()
  expect([13, 29, 30].map(urgency)).toEqual(['critical', 'warning', 'ok'])
})

test('a site has enrolled once its certificate is another, and is online once it came anew', () => {
  const before = standing(registered({ certificate_ends_at: '2026-12-01T00:00:00Z' }), site('10:00'))
  const old = registered({ certificate_ends_at: '2026-12-01T00:00:00Z' })
  expect(progressOf(before, old, site('10:00'))).toEqual({ enrolled: false, online: false })
  expect(progressOf(before, registered(), site('10:00'))).toEqual({ enrolled: true, online: false })
  expect(progressOf(before, registered(), site('12:00'))).toEqual({ enrolled: true, online: true })
  expect(progressOf(standing(undefined, undefined), undefined, undefined)).toEqual({ enrolled: false, online: false })
})
