import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { addressOf, change, connectSession, newKey, read, useProof } from './client'
import { Problem } from './problem'

const asked = vi.fn<typeof fetch>()
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } })
const problem = (code: string, status: number, more: object = {}, headers: Record<string, string> = {}) =>
  json(
    { type: `urn:tidegate:problem:${code}`, title: 'T', status, detail: 'D', code, instance: '/', ...more },
    status,
    {
      'Content-Type': 'application/problem+json',
      ...headers,
    },
  )
const headersOf = (call: number) => new Headers(asked.mock.calls[call]?.[1]?.headers)
const thrown = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (found: unknown) => found,
  )
  expect(error).toBeInstanceOf(Problem)
  return error as Problem
}

beforeEach(() => {
  asked.mockReset()
  vi.stubGlobal('fetch', asked)
  useProof('the-proof')
  connectSession({ signedOut: () => {}, renew: async () => false })
})
afterEach(() => vi.unstubAllGlobals())

test('a path is filled with quoted values and a query without what is not given', () => {
  const asking = { path: { site: 'a b/c' }, query: { limit: 5, cursor: undefined, site: ['x', 'y'] } } as never
  expect(addressOf('/v1/sites/{site}', asking)).toBe('/v1/sites/a%20b%2Fc?limit=5&site=x&site=y')
})

test('a change says all that was asked of it', async () => {
  asked.mockResolvedValue(json({ state: 'applied' }, 200, { ETag: '"r2"', 'Idempotency-Replayed': 'true' }))
  const answer = await change('patch', '/v1/sites/{site}/devices/{device}/settings', {
    path: { site: 's', device: 'd' },
    body: { portion_g: 5 },
    ifMatch: '"r1"',
    waitS: 10,
    key: 'k',
  })
  const headers = headersOf(0)
  expect(asked.mock.calls[0]?.[1]).toMatchObject({ method: 'PATCH', body: '{"portion_g":5}' })
  expect(headers.get('Content-Type')).toBe('application/merge-patch+json')
  expect(headers.get('If-Match')).toBe('"r1"')
  expect(headers.get('Prefer')).toBe('wait=10')
  expect(headers.get('Idempotency-Key')).toBe('k')
  expect(headers.get('X-CSRF-Token')).toBe('the-proof')
  expect(answer).toMatchObject({ status: 200, etag: '"r2"', replayed: true })
})

test('a reading carries no proof', async () => {
  asked.mockResolvedValue(json({ items: [] }))
  await read('/v1/sites')
  expect(headersOf(0).has('X-CSRF-Token')).toBe(false)
})

test('a problem keeps its code, faults, command, members and when to ask again', async () => {
  const more = { errors: [{ pointer: '/p', code: 'c', detail: 'd' }], command: { id: '1' }, silent_s: 40 }
  asked.mockResolvedValue(problem('site-offline', 503, more, { 'Retry-After': '5' }))
  const found = await thrown(change('post', '/v1/groups', { body: {} }))
  expect(found).toMatchObject({ code: 'site-offline', status: 503, detail: 'D', mayHaveHappened: false })
  expect(found.facts).toMatchObject({ retryAfterS: 5, command: { id: '1' }, members: { silent_s: 40 } })
  expect(found.facts.errors).toHaveLength(1)
})

test('a change that nobody answered may have happened, a reading not', async () => {
  asked.mockRejectedValue(new TypeError('network'))
  expect(await thrown(change('post', '/v1/groups'))).toMatchObject({ code: 'unreachable', mayHaveHappened: true })
  expect(await thrown(read('/v1/sites'))).toMatchObject({ code: 'unreachable', mayHaveHappened: false })
})

test('a proxy’s own 502 to a change says that it may have happened', async () => {
  asked.mockImplementation(async () => new Response('<html>', { status: 502 }))
  expect(await thrown(change('post', '/v1/groups'))).toMatchObject({ code: 'not-understood', mayHaveHappened: true })
})

test('a proof that is not known any more is renewed once, and the change sent again', async () => {
  const renew = vi.fn(async () => {
    useProof('newer')
    return true
  })
  connectSession({ signedOut: () => {}, renew })
  asked.mockImplementation(async () => problem('csrf-missing', 403))
  expect(await thrown(change('post', '/v1/groups'))).toMatchObject({ code: 'csrf-missing' })
  expect(renew).toHaveBeenCalledTimes(1)
  expect(asked).toHaveBeenCalledTimes(2)
  expect(headersOf(1).get('X-CSRF-Token')).toBe('newer')
})

test('a session that is over is told to whoever shows it', async () => {
  const signedOut = vi.fn()
  connectSession({ signedOut, renew: async () => false })
  asked.mockResolvedValue(problem('unauthorized', 401))
  await thrown(read('/v1/sites'))
  expect(signedOut).toHaveBeenCalledOnce()
})

test('what was called off is no problem', async () => {
  const control = new AbortController()
  asked.mockImplementation(async () => {
    control.abort()
    throw new DOMException('aborted', 'AbortError')
  })
  await expect(read('/v1/sites', { signal: control.signal })).rejects.toMatchObject({ name: 'AbortError' })
})

test('no two keys are the same, and the facade takes them', () => {
  const keys = new Set(Array.from({ length: 100 }, newKey))
  expect(keys.size).toBe(100)
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/)
})
