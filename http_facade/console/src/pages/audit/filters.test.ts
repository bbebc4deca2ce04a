import { expect, test } from 'vitest'
import { address, asked, changesOf, filtersOf, NONE, type Row } from './filters'

test('fields become what the facade is asked: a name with an at sign is one at the broker', () => {
  const filters = { ...NONE, site: 'arava-1', person: ' @ana ', from: '2026-11-27T02:00' }
  expect(asked(filters, 'Asia/Jerusalem')).toEqual({
    site: 'arava-1',
    principal: '@ana',
    from: '2026-11-27T00:00:00.000Z',
  })
  expect(asked({ ...NONE, person: 'dana', kind: 'refused' }, 'UTC')).toEqual({ actor: 'dana', kind: 'refused' })
})

test('an address finds the same again, and a kind that there is not finds all', () => {
  const filters = { ...NONE, person: 'dana', kind: 'ended' as const }
  expect(filtersOf(new URLSearchParams(address(filters)))).toEqual(filters)
  expect(filtersOf(new URLSearchParams('kind=odd'))).toEqual(NONE)
})

test('a wish tells what was held and what is wanted, an end what was read afterwards', () => {
  const row = { input: { portion_g: 120 }, before: { portion_g: 100 }, result: null } as unknown as Row
  expect(changesOf(row)).toEqual([{ name: 'portion_g', before: 100, after: 120 }])
  expect(changesOf({ ...row, before: null, result: { portion_g: 115 } })).toEqual([
    { name: 'portion_g', before: undefined, after: 115 },
  ])
})
