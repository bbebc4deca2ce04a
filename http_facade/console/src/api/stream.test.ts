import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { follow, SILENCE_MS, type StreamEvents } from './stream'

const asked = vi.fn<typeof fetch>()
let lines: ReadableStreamDefaultController<Uint8Array>[]
let events: { [K in keyof StreamEvents]: ReturnType<typeof vi.fn<StreamEvents[K]>> }
let following: ReturnType<typeof follow> | undefined

/** A line that the test writes to; it breaks when its request is called off, as a browser's does. */
const answer = async (_address: unknown, init?: RequestInit) => {
  const body = new ReadableStream<Uint8Array>({
    start: control => {
      lines.push(control)
      init?.signal?.addEventListener('abort', () => {
        try {
          control.error(new DOMException('aborted', 'AbortError'))
        } catch {
          // It had ended by itself.
        }
      })
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}
const write = (text: string) => lines.at(-1)?.enqueue(new TextEncoder().encode(text))
const settle = () => vi.advanceTimersByTimeAsync(0)
const start = async () => {
  following = follow('/v1/stream', events)
  await settle()
}

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  events = { opened: vi.fn(), told: vi.fn(), heard: vi.fn(), lost: vi.fn() }
  asked.mockReset().mockImplementation(answer as never)
  vi.stubGlobal('fetch', asked)
})
afterEach(() => {
  following?.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('hello lets everything be read, and what is told comes with its name', async () => {
  await start()
  write('event: hello\nid: 4\ndata: {}\n\nevent: status\nid: 5\ndata: {"site":"a"}\n\n')
  await settle()
  expect(events.opened).toHaveBeenCalledExactlyOnceWith(true)
  expect(events.told).toHaveBeenCalledExactlyOnceWith('status', { site: 'a' })
})

test('a broken line goes on behind the last number, also of a sign of life, and nothing is read anew', async () => {
  await start()
  write('event: hello\nid: 4\ndata: {}\n\n: still here\nid: 9\n\n')
  await settle()
  lines.at(-1)?.close()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(new Headers(asked.mock.calls[1]?.[1]?.headers).get('Last-Event-ID')).toBe('9')
  expect(events.opened.mock.calls).toEqual([[true], [false]])
  expect(events.lost).toHaveBeenCalledOnce()
})

test('reset lets everything be read anew', async () => {
  await start()
  write('event: hello\nid: 4\ndata: {}\n\n')
  await settle()
  lines.at(-1)?.close()
  await vi.advanceTimersByTimeAsync(1_000)
  write('event: reset\nid: 900\ndata: {}\n\n')
  await settle()
  expect(events.opened.mock.calls.at(-1)).toEqual([true])
})

test('a line that is silent for too long is given up and opened again', async () => {
  await start()
  write(': still here\nid: 1\n\n')
  await settle()
  await vi.advanceTimersByTimeAsync(SILENCE_MS - 1)
  expect(events.lost).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(2)
  expect(events.lost).toHaveBeenCalledOnce()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toHaveBeenCalledTimes(2)
})

test('a refusal is told with its code, and tried again at growing distances', async () => {
  const body = JSON.stringify({ code: 'too-many-streams', detail: 'd' })
  asked.mockImplementation(
    async () => new Response(body, { status: 503, headers: { 'Content-Type': 'application/problem+json' } }),
  )
  await start()
  expect(events.lost.mock.calls[0]?.[0]).toMatchObject({ code: 'too-many-streams', status: 503 })
  await vi.advanceTimersByTimeAsync(120_000)
  expect(asked.mock.calls.length).toBeGreaterThan(4)
  expect(asked.mock.calls.length).toBeLessThan(16)
})

test('a closed stream asks for nothing more', async () => {
  await start()
  following?.close()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(asked).toHaveBeenCalledOnce()
  expect(events.lost).not.toHaveBeenCalled()
})
