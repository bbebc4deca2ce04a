import { beforeAll, expect, test } from 'vitest'
import { speak } from '../words/words'
import { age, duration } from './ages'
import { withUnit } from './numbers'
import { clockTime, dateTime, shortTime } from './times'

const NOON = Date.parse('2026-11-27T12:00:00Z')

beforeAll(() => speak('en'))

test.each([
  [0, 'just now'],
  [-5_000, 'just now'],
  [1_000, '1 second ago'],
  [59_999, '59 seconds ago'],
  [60_000, '1 minute ago'],
  [3_600_000 * 5, '5 hours ago'],
  [86_400_000 * 3, '3 days ago'],
])('an age of %i ms is %s', (elapsedMs, words) => {
  expect(age(NOON - elapsedMs, NOON)).toBe(words)
})

test.each([
  [0, '0 sec'],
  [59, '59 sec'],
  [61, '1 min 1 sec'],
  [7_500, '2 hr 5 min'],
  [86_400, '1 day'],
])('a stretch of %i s is %s', (lengthS, words) => {
  expect(duration(lengthS)).toBe(words)
})

test('a time is that of the zone, which is shown', () => {
  expect(clockTime(NOON, 'Asia/Jerusalem')).toBe('14:00:00')
  expect(dateTime(NOON, 'Asia/Jerusalem')).toMatch(/^Nov 27, 2026, 14:00:00 GMT\+2$/)
})

test('a time of another day has its day', () => {
  expect(shortTime(NOON, NOON + 60_000, 'UTC')).not.toContain('2026')
  expect(shortTime(NOON, NOON + 86_400_000, 'UTC')).toContain('Nov 27, 2026')
})

test('a value keeps its unit, and what is not known is not zero', () => {
  expect(withUnit(1234.5678, 'g')).toBe('\u20681,234.568\u00a0g\u2069')
  expect(withUnit(null, 'g')).toBe('unknown')
  expect(withUnit(false)).toBe('Off')
})
