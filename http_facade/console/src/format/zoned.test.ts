import { expect, test } from 'vitest'
import { csv } from './csv'
import { dateIn, dayAfter, momentOf, wallTime } from './zoned'

const ZONE = 'Asia/Jerusalem'
const at = (text: string) => Date.parse(text)

test('a moment is what the zone’s clocks show, in summer and winter', () => {
  expect(wallTime(at('2026-07-01T21:30:00Z'), ZONE)).toBe('2026-07-02T00:30')
  expect(dateIn(at('2026-12-31T22:30:00Z'), ZONE)).toBe('2027-01-01')
})

test('what a zone’s clocks show is a moment', () => {
  expect(momentOf('2026-07-02T00:30', ZONE)).toBe(at('2026-07-01T21:30:00Z'))
  expect(momentOf('2026-01-02T00:30', ZONE)).toBe(at('2026-01-01T22:30:00Z'))
  expect(momentOf('yesterday', ZONE)).toBeUndefined()
})

test('a time that clocks show twice is the first, one that they skip lies behind the change', () => {
  // On 25 October 2026 02:00 summer time becomes 01:00; on 27 March 2026 02:00 becomes 03:00.
  expect(momentOf('2026-10-25T01:30', ZONE)).toBe(at('2026-10-24T22:30:00Z'))
  expect(momentOf('2026-03-27T02:30', ZONE)).toBe(at('2026-03-27T00:30:00Z'))
})

test('days are counted by the calendar', () => {
  expect([dayAfter('2026-02-28', 1), dayAfter('2026-03-01', -1)]).toEqual(['2026-03-01', '2026-02-28'])
})

test('a file for spreadsheets runs nothing, and knows nothing from null', () => {
  expect(
    csv([
      ['a,b', '=1+1', 'say "x"'],
      [1.5, null, true],
    ]),
  ).toBe('"a,b",\'=1+1,"say ""x"""\r\n1.5,,true\r\n')
})
