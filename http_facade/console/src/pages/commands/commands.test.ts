import { describe, expect, it } from 'vitest'
import { type Command, learn } from '../../state/commands'
import { asked, filtersOf, fits } from './filters'
import { merged } from './ledger'

function command(id: string, second: number, more: Partial<Command> = {}): Command {
  const issued_at = `2026-11-27T12:00:${String(second).padStart(2, '0')}Z`
  const bare = { id, site: 'arava-1', device: 'feeder-1', name: 'feed', actor: 'dana', state: 'applied', final: true }
  return { ...bare, issued_at, deadline_at: issued_at, ...more } as Command
}

describe('the filters of the ledger', () => {
  it('are what the address says, and nothing else of it', () => {
    expect(filtersOf({ site: 'arava-1', state: '', other: 'x' })).toEqual({ site: 'arava-1' })
  })

  it('give local times as moments, and leave half-typed ones out', () => {
    const query = asked({ from: '2026-11-27T12:00', to: 'soon' })
    expect(query).toEqual({ from: new Date('2026-11-27T12:00').toISOString() })
  })

  it('hold for what is told as for what is read', () => {
    expect(fits(command('a', 1), { device: 'feeder-1', actor: 'dana' })).toBe(true)
    expect(fits(command('a', 1), { state: 'unknown' })).toBe(false)
  })
})

describe('the ledger', () => {
  it('puts what was told on top, without what lies beyond the last page that was read', () => {
    learn(command('new', 30))
    learn(command('old', 1))
    const read = [command('b', 20), command('a', 10)]
    expect(merged(read, false, {}).map(each => each.id)).toEqual(['new', 'b', 'a'])
    expect(merged(read, true, {}).map(each => each.id)).toEqual(['new', 'b', 'a', 'old'])
  })

  it('drops what has left the state that is filtered for', () => {
    const open = command('open', 40, { state: 'unknown', final: false })
    learn({ ...open, state: 'expired', final: true })
    expect(merged([open], false, { state: 'unknown' })).toEqual([])
  })
})
