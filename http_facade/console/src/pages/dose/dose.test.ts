import { describe, expect, it } from 'vitest'
import { holds } from '../../state/description'
import { inputOf } from './ActionCard'
import { gapS } from './Limits'
import { presets } from './presets'

const GRAMS = { type: 'integer', minimum: 5, maximum: 500, multipleOf: 5 } as const
const FEED = {
  input: { properties: { grams: GRAMS } },
  'tidegate:argument': 'grams',
  'tidegate:limits': { largest: 300 },
}

describe('a dose', () => {
  it('is offered in amounts on the step, up to the largest', () => {
    expect(presets(GRAMS, 300)).toEqual([30, 75, 150, 300])
    expect(presets({ type: 'integer' })).toEqual([])
  })

  it('cannot be asked for above the site’s largest, or while nothing is typed', () => {
    expect(inputOf(FEED, () => '300')).toEqual({ grams: 300 })
    expect(inputOf(FEED, () => '305')).toBeUndefined()
    expect(inputOf(FEED, () => '')).toBeUndefined()
  })

  it('waits until the least gap is over, by the facade’s clock', () => {
    const allowance = { next_at: '2026-11-27T12:00:10Z' } as never
    expect(gapS(allowance, Date.parse('2026-11-27T12:00:03.500Z'))).toBe(7)
    expect(gapS(allowance, Date.parse('2026-11-27T12:00:11Z'))).toBe(0)
    expect(gapS(undefined, 0)).toBe(0)
  })
})

describe('an interlock', () => {
  const oxygen = { name: 'low-oxygen', property: 'oxygen_mg_l', comparison: 'below', value: 4 } as const
  it.each([
    [3.9, true],
    [4, false],
    [null, true],
  ])('that reads %j forbids: %j', (live, expected) => {
    expect(holds(oxygen, live)).toBe(expected)
  })
})
