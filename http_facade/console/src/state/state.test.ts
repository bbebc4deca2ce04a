import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { forgetTime, heardFrom, serverNow } from './clock'
import { latest, learn } from './commands'
import { type Device, withState } from './devices'
import { known, onlineNow, type Site } from './sites'

const answered = (date: string) => new Response(null, { headers: { Date: date } })
const site: Site = {
  site: 'a',
  online: true,
  cause: null,
  state: 'online',
  since: null,
  reason: '',
  version: null,
  heartbeat_age_s: 3,
  silent_s: null,
  last_beat_at: '2026-11-27T12:00:07Z',
  alive_expiry_s: 25,
  plcs: {},
  outbox: null,
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] })
  forgetTime()
})
afterEach(() => vi.useRealTimers())

test('the time is the facade’s, whatever this machine’s clock says and does', () => {
  vi.setSystemTime('2001-01-01T00:00:00Z')
  heardFrom(answered('Fri, 27 Nov 2026 12:00:00 GMT'), performance.now())
  vi.advanceTimersByTime(5_000)
  vi.setSystemTime('1999-01-01T00:00:00Z')
  expect(new Date(serverNow()).toISOString()).toBe('2026-11-27T12:00:05.000Z')
})

test('a later answer makes the time later, never earlier, unless it contradicts', () => {
  heardFrom(answered('Fri, 27 Nov 2026 12:00:00 GMT'), performance.now())
  vi.advanceTimersByTime(400)
  heardFrom(answered('Fri, 27 Nov 2026 12:00:01 GMT'), performance.now())
  expect(new Date(serverNow()).toISOString()).toBe('2026-11-27T12:00:01.000Z')
  vi.advanceTimersByTime(900)
  heardFrom(answered('Fri, 27 Nov 2026 12:00:01 GMT'), performance.now())
  expect(new Date(serverNow()).toISOString()).toBe('2026-11-27T12:00:01.900Z')
  heardFrom(answered('Fri, 27 Nov 2026 11:00:00 GMT'), performance.now())
  expect(new Date(serverNow()).toISOString()).toBe('2026-11-27T11:00:00.000Z')
})

test('when a site was heard is a moment, from which its age is counted', () => {
  heardFrom(answered('Fri, 27 Nov 2026 12:00:10 GMT'), performance.now())
  expect(new Date(known(site).heardAt ?? 0).toISOString()).toBe('2026-11-27T12:00:07.000Z')
})

test('a site that was not read for long is neither online nor silent', () => {
  heardFrom(answered('Fri, 27 Nov 2026 12:00:00 GMT'), performance.now())
  const found = known(site)
  expect(onlineNow(found)).toBe(true)
  expect(onlineNow({ ...found, knownAt: found.knownAt - 30_000 })).toBe(null)
})

const command = { id: '1', state: 'pending', final: false } as never as Parameters<typeof learn>[0]

test('a command’s end is never replaced by what came before it', () => {
  learn({ ...command, state: 'applied', final: true })
  learn(command)
  expect(latest(command)).toMatchObject({ state: 'applied', final: true })
})

test('told values go where they belong, and a changed setting asks for what was wished', () => {
  const device = { device: 'd', settings: { portion_g: 50 }, readings: {} } as never as Device
  const told = { site: 's', device: 'd', at: null, quality: 'good', cause: '', revision: 'r' } as const
  const same = withState(device, { ...told, properties: { portion_g: 50, oxygen: 8 } })
  expect(same).toMatchObject({ settled: true, device: { settings: { portion_g: 50 }, readings: { oxygen: 8 } } })
  expect(withState(device, { ...told, properties: { portion_g: 60 } }).settled).toBe(false)
})
