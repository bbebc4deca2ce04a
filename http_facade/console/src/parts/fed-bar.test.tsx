import { cleanup, render, screen } from '@testing-library/preact'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { Fed } from '../state/overview'
import { speak } from '../words/words'
import { FedBar, fedWords, sharesOf } from './FedBar'

const day: Fed = {
  doses: 1,
  asked_g: 100,
  counted_g: 100,
  short_g: 0,
  unknown_g: 0,
  refused_g: 0,
  fed_g: 400,
  planned_g: 900,
  due_g: 500,
  shortfall_g: 200,
}

beforeAll(() => speak('en'))
afterEach(cleanup)

test('the bar is what is planned and asked; fed, short and due are shares of it', () => {
  expect(sharesOf(day)).toEqual({ fed: 0.4, unknown: 0, short: 0.2, due: 0.6 })
})

test('asked and not known to have fallen is unknown, not short', () => {
  expect(sharesOf({ ...day, unknown_g: 100 })).toMatchObject({ unknown: 0.1, short: 0.1 })
})

test('where the counter was not read all day what is due is unknown, and the words say at least', () => {
  const part = { ...day, shortfall_g: null }
  expect(sharesOf(part)).toMatchObject({ fed: 0.4, short: 0 })
  expect(sharesOf(part)?.unknown).toBeCloseTo(0.2)
  expect(fedWords(part).main).toContain('at least')
  expect(fedWords(part).rest).toContain('shortfall not known')
})

test('more than planned never reaches beyond the bar', () => {
  expect(sharesOf({ ...day, fed_g: 2_000, shortfall_g: 0 })).toMatchObject({ fed: 1, due: 0.3 })
})

test('what fell is unknown where it was not read: no bar, no zero', () => {
  render(<FedBar fed={{ ...day, fed_g: null, shortfall_g: null }} label="Fed today" />)
  const meter = screen.getByRole('meter', { name: 'Fed today' })
  expect(meter.getAttribute('aria-valuetext')).toContain('Not known what fell')
  expect(meter.children.length).toBe(0)
})
