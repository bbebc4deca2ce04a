import { expect, test } from 'vitest'
import {
  carried,
  LONGEST_MS,
  looked,
  panned,
  query,
  SHORTEST_MS,
  SPANS,
  stretchOf,
  viewOf,
  written,
  zoomed,
} from './stretch'

const HOUR = { fromMs: 0, toMs: 3_600_000 }

test('a zoom keeps the moment that it is about', () => {
  expect(zoomed(HOUR, 0.5, 0.25)).toEqual({ fromMs: 450_000, toMs: 2_250_000 })
})

test('no zoom goes beyond what can be shown', () => {
  const least = zoomed(HOUR, 0, 0)
  const most = zoomed(HOUR, 1e9, 0)
  expect([least.toMs - least.fromMs, most.toMs - most.fromMs]).toEqual([SHORTEST_MS, LONGEST_MS])
})

test('moments stay under the fingers that carry them', () => {
  expect(carried(HOUR, [0.5], [0.25])).toEqual(panned(HOUR, 0.25))
  expect(carried(HOUR, [0.25, 0.75], [0, 1])).toEqual({ fromMs: 900_000, toMs: 2_700_000 })
})

test('a stretch that reaches the present follows it, one in the past stays', () => {
  expect(viewOf(HOUR, 3_600_000).endMs).toBeUndefined()
  expect(viewOf(HOUR, 9_000_000).endMs).toBe(3_600_000)
  expect(stretchOf({ spanMs: 1_000, endMs: undefined }, 5_000)).toEqual({ fromMs: 4_000, toMs: 5_000 })
})

test('an address shows the same again', () => {
  const past = { properties: ['water_c', 'hopper_kg'], view: { spanMs: 60_000, endMs: 120_000 } }
  const live = { properties: ['water_c'], view: { spanMs: SPANS.week, endMs: undefined } }
  expect(looked(query(past))).toEqual(past)
  expect(looked(query(live))).toEqual(live)
})

test('an address that makes no sense shows the last day', () => {
  expect(looked(new URLSearchParams('from=x&to=y&span=-4')).view).toEqual({ spanMs: SPANS.day, endMs: undefined })
})

test('two fields in the site’s time are a stretch, unless the first is the later', () => {
  const found = written('2026-07-01T12:00', '2026-07-01T13:00', 'Asia/Jerusalem')
  expect(found?.fromMs).toBe(Date.parse('2026-07-01T09:00:00Z'))
  expect(written('2026-07-01T13:00', '2026-07-01T12:00', 'UTC')).toBeUndefined()
  expect(written('', '2026-07-01T12:00', 'UTC')).toBeUndefined()
})
