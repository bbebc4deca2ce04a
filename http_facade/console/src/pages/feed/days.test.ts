import { expect, test } from 'vitest'
import { barOf, ceiling, type Day, daysOf, type Fed, type FeedTotals, shownDays, sumOf } from './days'

const NOTHING: Fed = {
  doses: 0,
  asked_g: 0,
  counted_g: 0,
  short_g: 0,
  unknown_g: 0,
  refused_g: 0,
  fed_g: null,
  planned_g: null,
  due_g: null,
  shortfall_g: null,
}
const day = (part: Partial<Day>): Day => ({ ...NOTHING, date: '2026-11-27', ...part })

test('a period ends on its last day and has so many', () => {
  expect(daysOf('week', '2026-03-02')).toEqual({ from: '2026-02-24', to: '2026-03-02' })
})

test('what nobody knows is no zero in a sum, and is counted', () => {
  expect(sumOf([day({ fed_g: 100 }), day({}), day({ fed_g: 50 })], 'fed_g')).toEqual({ known: 150, unknownDays: 1 })
})

test('a bar has doses within what fell, and nothing where that is unknown', () => {
  expect(barOf(day({ fed_g: 300, counted_g: 50, shortfall_g: 20, planned_g: 320 }))).toMatchObject({
    fed: 300,
    byDoses: 50,
    shortfall: 20,
    planned: 320,
  })
  expect(barOf(day({ counted_g: 50, shortfall_g: 20 }))).toMatchObject({ fed: null, byDoses: 0, shortfall: 0 })
})

test('an axis reaches over the highest bar and its plan, in steps that people read', () => {
  expect(ceiling([barOf(day({ fed_g: 730, planned_g: 900 }))])).toEqual({ most: 1_000, step: 250 })
  expect(ceiling([])).toEqual({ most: 1, step: 0.25 })
})

test('a feeder that was not there yet has no day', () => {
  const totals: FeedTotals = {
    site: 's',
    zone: 'UTC',
    days: [
      { date: '2026-11-26', total: NOTHING, devices: [] },
      { date: '2026-11-27', total: NOTHING, devices: [{ ...NOTHING, device: 'f', fed_g: 5 }] },
    ],
  }
  expect(shownDays(totals, 'f').map(each => each.date)).toEqual(['2026-11-27'])
  expect(shownDays(totals, undefined)).toHaveLength(2)
})
