import { cleanup, render, screen } from '@testing-library/preact'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Command } from '../../state/commands'
import type { Description } from '../../state/description'
import { speak } from '../../words/words'
import { Results } from './Results'
import { inputWords } from './wording'

const DESCRIPTION: Description = {
  title: 'Feeder',
  properties: {
    oxygen_mg_l: { type: 'number', title: 'Oxygen', unit: 'mg/L', readOnly: true },
    portion_g: { type: 'integer', title: 'Portion', unit: 'g' },
    meal_1_min: { type: 'integer', title: 'Meal 1', unit: 'min', clock: true },
  },
  actions: {
    feed: {
      title: 'Feed now',
      input: { properties: { grams: { type: 'integer', title: 'Dose', unit: 'g' } } },
      'tidegate:argument': 'grams',
      'tidegate:interlocks': [
        { name: 'low-oxygen', property: 'oxygen_mg_l', comparison: 'below', value: 4, title: 'Fish lack oxygen' },
      ],
    },
  },
}

/** Names and values as they are read, without the marks that keep them together. */
function told(more: Partial<Command>): Record<string, string> {
  const command = { name: 'feed', input: { grams: 50 }, result: {}, code: 'applied', ...more } as Command
  render(<Results command={command} description={DESCRIPTION} />)
  const plain = (element: HTMLElement | undefined) =>
    (element?.textContent ?? '').replaceAll(/[\u2068\u2069]/g, '').replaceAll('\u00a0', ' ')
  const values = screen.getAllByRole('definition')
  return Object.fromEntries(screen.getAllByRole('term').map((term, index) => [plain(term), plain(values[index])]))
}

beforeAll(() => speak('en'))
afterEach(cleanup)

describe('the result of a command', () => {
  it('of a dose is what was asked and what the PLC counted', () => {
    expect(told({ result: { grams_asked: 50, grams_counted: 50 } })).toEqual({
      'Asked for': '50 g',
      'Counted by the PLC': '50 g',
    })
  })

  it('of a dose that came out short says by how much', () => {
    expect(told({ code: 'dose-short', result: { grams_asked: 50, grams_counted: 35 } })).toMatchObject({
      'Short by': '15 g',
    })
  })

  it('of a broken limit is the limit and how far the site was', () => {
    const result = { limit: 'most_per_day', allowed: 2000, live: 1980 }
    expect(told({ code: 'limit-exceeded', result })).toEqual({
      Dose: '50 g',
      'Most in 24 hours': '2,000 g',
      'It was at': '1,980 g',
    })
  })

  it('of an interlock is what forbade it and what that reads', () => {
    expect(told({ code: 'interlocked', result: { interlock: 'low-oxygen', live: 3.1 } })).toEqual({
      Dose: '50 g',
      Interlock: 'Fish lack oxygen',
      Oxygen: '3.1 mg/L',
    })
  })

  it('of a write is what was read back, a meal’s minute as a time', () => {
    const input = { portion_g: 120, meal_1_min: 390 }
    expect(told({ name: 'write', input, result: { portion_g: 115, meal_1_min: 390 } })).toEqual({
      Portion: '120 g · read back 115 g',
      'Meal 1': '06:30 · read back 06:30',
    })
  })

  it('is told in few words where there is much of it', () => {
    const input = { a: 1, b: 2, c: 3 }
    expect(inputWords({ name: 'write', input })).toBe('a 1, b 2, 1 more')
  })
})
