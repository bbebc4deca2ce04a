import { beforeAll, expect, test } from 'vitest'
import type { KnownSite } from '../../state/sites'
import { speak } from '../../words/words'
import { gateWords } from './gate'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const site = { online: true, heardAt: NOW - 4_000, knownAt: NOW, alive_expiry_s: 25, cause: null } as KnownSite

beforeAll(() => speak('en'))

test('an open gate says when it closes, and counts down', () => {
  expect(gateWords(site, true, NOW)).toMatchObject({
    tone: 'ok',
    state: 'Open: last heartbeat 4 seconds ago, closes in 21 sec if nothing comes',
  })
  expect(gateWords(site, true, NOW + 20_500).state).toContain('closes in 1 sec')
})

test('an open gate whose heartbeat has run out since it was read does not count below nothing', () => {
  expect(gateWords(site, true, NOW + 22_000).state).toBe('About to close: last heartbeat 26 seconds ago')
})

test('a silent agent has writes refused, for so long', () => {
  const silent = { ...site, online: false, heardAt: NOW - 31_000 }
  expect(gateWords(silent, true, NOW)).toMatchObject({
    tone: 'critical',
    state: 'Agent silent for 31 sec: writes are refused',
  })
  expect(gateWords({ ...silent, heardAt: null }, true, NOW).state).toContain('never heard')
})

test('without Redis nobody can tell, and what is not fresh is not known', () => {
  expect(gateWords({ ...site, online: null }, true, NOW)).toMatchObject({ tone: 'unknown' })
  expect(gateWords({ ...site, online: null }, true, NOW).state).toContain('Redis does not answer')
  expect(gateWords(site, false, NOW + 60_000).state).toBe('Not known now: last known 1 minute ago')
})
