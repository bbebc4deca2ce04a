import { describe, expect, it } from 'vitest'
import type { Description, Schema, Value } from '../../state/description'
import { conflicts, differences, patchOf, rebased, typing } from './draft'
import { keyed } from './MealStrip'
import { levels, mealsOf, minuteNow, minuteOf, modeOf, moved, perDay } from './meals'
import { valueTyped } from './values'

const GRAMS: Schema = { type: 'integer', unit: 'g', minimum: 0, maximum: 2000, multipleOf: 5, readOnly: false }
const DESCRIPTION: Description = {
  title: 'Feeder',
  properties: {
    portion_g: GRAMS,
    interval_min: { type: 'integer', minimum: 1, readOnly: false },
    enabled: { type: 'boolean', readOnly: false },
  },
}
const SEEN = { revision: 'a', settings: { portion_g: 100, interval_min: 60, enabled: true } }

describe('a typed value', () => {
  it.each([
    ['125', 125],
    [' 125 ', 125],
    ['', { fault: 'missing' }],
    ['12e1', { fault: 'notNumber' }],
    ['2.5', { fault: 'notWhole' }],
    ['-5', { fault: 'below' }],
    ['2005', { fault: 'above' }],
    ['101', { fault: 'offStep' }],
  ])('%j is judged by the description as %j', (text, expected) => {
    expect(valueTyped(GRAMS, text)).toEqual(expected)
  })

  it('takes a decimal comma, and 0.3 for a multiple of 0.1 as the site does', () => {
    expect(valueTyped({ type: 'number', multipleOf: 0.1 }, '0,3')).toBe(0.3)
  })

  it('of an enum keeps its own type', () => {
    expect(valueTyped({ type: 'integer', enum: [1, 2] }, '2')).toBe(2)
    expect(valueTyped({ type: 'integer', enum: [1, 2] }, '3')).toEqual({ fault: 'missing' })
  })

  it('that is a text may not be longer than the description says', () => {
    expect(valueTyped({ type: 'string', maxLength: 3 }, 'abcd')).toEqual({ fault: 'tooLong' })
  })
})

describe('a draft', () => {
  it('changes what was typed, not what was typed back', () => {
    const draft = typing(typing(undefined, SEEN, 'portion_g', '125'), SEEN, 'interval_min', '60')
    expect(patchOf(differences(DESCRIPTION, draft))).toEqual({ portion_g: 125 })
  })

  it('with a fault is no patch at all', () => {
    const draft = typing(typing(undefined, SEEN, 'portion_g', '101'), SEEN, 'enabled', false)
    expect(patchOf(differences(DESCRIPTION, draft))).toBeUndefined()
  })

  it('meets what somebody else made of the same setting as a conflict with all three values', () => {
    const draft = typing(undefined, SEEN, 'portion_g', '125')
    const now = { revision: 'b', settings: { ...SEEN.settings, portion_g: 150 } }
    expect(conflicts(DESCRIPTION, draft, now)).toMatchObject([{ name: 'portion_g', seen: 100, theirs: 150, mine: 125 }])
  })

  it('meets no conflict where they changed another setting, or to the same value', () => {
    const draft = typing(undefined, SEEN, 'portion_g', '125')
    const settings = { portion_g: 125, interval_min: 30, enabled: true }
    expect(conflicts(DESCRIPTION, draft, { revision: 'b', settings })).toEqual([])
  })

  it('that is kept stands upon the new revision, and one that is given up leaves nothing', () => {
    const draft = typing(undefined, SEEN, 'portion_g', '125')
    const now = { revision: 'b', settings: { ...SEEN.settings, portion_g: 150 } }
    expect(rebased(DESCRIPTION, draft, now)?.base.revision).toBe('b')
    expect(rebased(DESCRIPTION, draft, now, ['portion_g'])).toBeUndefined()
  })
})

const PLAN = {
  enabled: 'enabled',
  schedule: 'schedule_on',
  interval: 'interval_min',
  portion: 'portion_g',
  slots: [
    { minute: 'm1', grams: 'g1' },
    { minute: 'm2', grams: 'g2' },
  ],
}
const at = (values: Record<string, Value | null>) => (name: string) => values[name]
const BY_SLOTS = {
  enabled: true,
  schedule_on: true,
  interval_min: 30,
  portion_g: 10,
  m1: 390,
  g1: 120,
  m2: 960,
  g2: 80,
}

describe('meals', () => {
  it('by times add their slots up, and by interval count how often the day has it', () => {
    expect(perDay(PLAN, at(BY_SLOTS))).toBe(200)
    expect(perDay(PLAN, at({ ...BY_SLOTS, schedule_on: false }))).toBe(480)
    expect(perDay(PLAN, at({ ...BY_SLOTS, enabled: false }))).toBe(0)
  })

  it('are unknown where a value is', () => {
    expect(modeOf(PLAN, at({ ...BY_SLOTS, schedule_on: null }))).toBeUndefined()
    expect(perDay(PLAN, at({ ...BY_SLOTS, g2: null }))).toBeUndefined()
  })

  it('at a minute that no day has stand nowhere and count for nothing', () => {
    const values = at({ ...BY_SLOTS, m2: 1500 })
    expect(mealsOf(PLAN, values)[1]?.minute).toBeUndefined()
    expect(perDay(PLAN, values)).toBe(120)
  })

  it('are moved within the day', () => {
    expect(moved(1439, 1)).toBe(1439)
    expect(moved(2, -15)).toBe(0)
    expect(moved(722, 0, 5)).toBe(720)
    expect(moved(1439, 0, 5)).toBe(1435)
    expect(minuteOf('24:00')).toBeUndefined()
  })

  it('that lie near one another are told on different levels', () => {
    expect(levels([540, 390, 1000], 260)).toEqual([1, 0, 0])
  })

  it('are moved by the keys of a slider, the other way round from right to left', () => {
    expect(keyed({ key: 'ArrowRight', shiftKey: false }, 100)).toBe(101)
    expect(keyed({ key: 'ArrowLeft', shiftKey: true }, 100)).toBe(85)
    document.documentElement.dir = 'rtl'
    expect(keyed({ key: 'ArrowRight', shiftKey: false }, 100)).toBe(99)
    document.documentElement.dir = 'ltr'
    expect(keyed({ key: 'Tab', shiftKey: false }, 100)).toBeUndefined()
  })

  it('see now in the zone of the place, or not at all where that is not known', () => {
    expect(minuteNow(Date.UTC(2026, 10, 27, 22, 30), 'Asia/Jerusalem')).toBe(30)
    expect(minuteNow(0, 'Nowhere/Atall')).toBeUndefined()
  })
})
