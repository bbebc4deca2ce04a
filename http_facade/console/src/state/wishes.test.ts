import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Command } from './commands'
import { doubtsOf, looked } from './doubts'
import { closed } from './gate'
import type { KnownSite } from './sites'
import { ask, dismiss, isOpen, wishAt } from './wish'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const PROBLEM_TYPE = { 'Content-Type': 'application/problem+json' }
let devices = 0
const place = () => ({ site: 'arava-1', device: `feeder-${++devices}`, name: 'feed' })
const COMMAND = { id: 'c', site: 'arava-1', device: 'feeder-1', name: 'feed', state: 'pending', final: false }

function answers(...each: (() => Promise<Response>)[]) {
  const asked: { url: string; key: string | null }[] = []
  let next = 0
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, key: new Headers(init.headers).get('Idempotency-Key') })
    return (each[next++] ?? each.at(-1))?.()
  })
  return asked
}
const broken = () => Promise.reject(new TypeError('failed'))
const json =
  (body: unknown, status = 200) =>
  () =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers: JSON_TYPE }))
const problem = (code: string, status: number) => () =>
  Promise.resolve(new Response(JSON.stringify({ code }), { status, headers: PROBLEM_TYPE }))

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a wish', () => {
  it('is sent again under the same key when the network fails', async () => {
    const here = place()
    const asked = answers(broken, json(COMMAND, 202))
    const sent = ask(here, { grams: 50 })
    await vi.advanceTimersByTimeAsync(2_000)
    await sent
    expect(asked.map(each => each.key)).toEqual([asked[0]?.key, asked[0]?.key])
    expect(wishAt(here).value).toMatchObject({ phase: 'known', command: { id: 'c' } })
  })

  it('that is refused at once has done nothing, and may be forgotten', async () => {
    const here = place()
    answers(problem('site-offline', 503))
    await ask(here, { grams: 50 })
    expect(wishAt(here).value?.phase).toBe('refused')
    dismiss(here)
    expect(wishAt(here).value).toBeUndefined()
  })

  it('that is refused after an answer was lost stays unanswered: the refusal says nothing of the first', async () => {
    const here = place()
    answers(broken, problem('site-offline', 503))
    const sent = ask(here, { grams: 50 })
    await vi.advanceTimersByTimeAsync(5_000)
    await sent
    expect(wishAt(here).value?.phase).toBe('unanswered')
    dismiss(here)
    expect(wishAt(here).value?.phase).toBe('unanswered')
  })

  it('without an answer is found in the ledger by its key', async () => {
    const here = place()
    let key = ''
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      if (!url.startsWith('/v1/commands')) {
        key = new Headers(init.headers).get('Idempotency-Key') ?? ''
        return broken()
      }
      return json({ items: [{ ...COMMAND, id: 'found', idempotency_key: key }], next: null })()
    })
    const sent = ask(here, { grams: 50 })
    await vi.advanceTimersByTimeAsync(6_000)
    await sent
    expect(wishAt(here).value).toMatchObject({ phase: 'known', command: { id: 'found' } })
  })

  it('that the ledger has not long afterwards was never a command', async () => {
    const here = place()
    vi.stubGlobal('fetch', (url: string) =>
      url.startsWith('/v1/commands') ? json({ items: [], next: null })() : broken(),
    )
    void ask(here, { grams: 50 })
    await vi.advanceTimersByTimeAsync(30_000)
    expect(wishAt(here).value?.phase).toBe('unanswered')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(wishAt(here).value?.phase).toBe('lost')
  })

  it('is open until its command has ended or nobody knows what it did', () => {
    const wish = { key: 'k', input: {}, decidedAt: 0, phase: 'known' } as const
    expect(isOpen(wish, COMMAND as Command)).toBe(true)
    expect(isOpen(wish, { ...COMMAND, state: 'unknown' } as Command)).toBe(false)
    expect(isOpen({ ...wish, phase: 'asking' }, undefined)).toBe(true)
    expect(isOpen(undefined, undefined)).toBe(false)
  })
})

describe('doubts', () => {
  const unknown = (id: string, code: string) => ({ ...COMMAND, id, code, state: 'unknown' }) as Command
  it('hold what has the same name, until there is evidence', () => {
    expect(doubtsOf([unknown('a', 'no-answer')], 'feed')).toHaveLength(1)
    expect(doubtsOf([unknown('a', 'no-answer')], 'write')).toHaveLength(0)
  })

  it('are settled by a person only where the site can never tell', () => {
    const [asked, lost] = [unknown('b', 'plc-silent'), unknown('c', 'journal-lost')]
    looked([asked, lost])
    expect(doubtsOf([asked, lost], 'feed')).toEqual([asked])
  })
})

describe('the gate', () => {
  const site = { online: true, plcs: { 'plc-1': 'ok' }, knownAt: 1_000, heardAt: 500 } as unknown as KnownSite
  it.each([
    ['is open for a site that is heard', {}, undefined],
    ['is shut while the site is silent', { online: false }, 'silent'],
    ['is shut while nobody can tell', { online: null }, 'unknown'],
    ['is shut while the device’s PLC is lost', { plcs: { 'plc-1': 'lost' } }, 'plc-lost'],
  ])('%s', (_, more, expected) => {
    expect(closed({ ...site, ...more } as KnownSite, 'plc-1', 2_000)?.why).toBe(expected)
  })

  it('is shut when what is known of it is old', () => {
    expect(closed(site, 'plc-1', 60_000)?.why).toBe('not-live')
  })
})
