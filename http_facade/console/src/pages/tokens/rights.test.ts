import { expect, test } from 'vitest'
import { given, inOrder, type Token, type Wish, wrongIn } from './rights'

const WISH: Wish = { name: 'barn tablet', role: 'viewer', sites: ['arava-1'], days: 30 }

test('nobody gives more than the own role', () => {
  expect(given('operator')).toEqual(['viewer', 'operator'])
})

test('a wish is wrong where the facade would refuse it', () => {
  expect(wrongIn(WISH)).toEqual({})
  expect(wrongIn({ ...WISH, sites: null })).toEqual({})
  expect(wrongIn({ name: ' ', role: 'viewer', sites: [], days: 1.5 })).toEqual({ name: true, sites: true, days: true })
  expect(wrongIn({ ...WISH, days: 3_651 })).toEqual({ days: true })
})

test('those that open something come first, the newest before the others', () => {
  const token = (id: string, state: Token['state'], created_at: string) => ({ id, state, created_at }) as Token
  const tokens = [token('a', 'revoked', '2026-03'), token('b', 'good', '2026-01'), token('c', 'good', '2026-02')]
  expect(inOrder(tokens).map(each => each.id)).toEqual(['c', 'b', 'a'])
})
