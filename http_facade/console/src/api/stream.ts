import { Problem, problemOf } from './problem'
import type { components } from './schema'
import { parser, type ServerSent } from './server-sent'

type Schemas = components['schemas']
/** A device's values as the stream tells them: settings and readings together. */
export interface DeviceState {
  site: string
  device: string
  at: string | null
  quality: Schemas['Device']['quality']
  cause: string
  revision: string | null
  properties: Record<string, boolean | number | string | null>
}
/** What was removed while we listened. */
export interface Gone {
  site: string
  device?: string
  gone: true
}
/** Event name -> what it carries. */
export interface Told {
  status: Schemas['Site'] | Gone
  state: DeviceState | Gone
  command: Schemas['Command'] | Gone
  event: Schemas['Event'] | Gone
  alarm: (Schemas['Alarm'] & { active: boolean }) | Gone
}

export interface StreamEvents {
  /** The line stands; `fresh` if what happened before is not told, so everything must be read anew. */
  opened: (fresh: boolean) => void
  told: <K extends keyof Told>(name: K, body: Told[K]) => void
  /** Something came, if only a sign of life. */
  heard: () => void
  /** The line is cut; it is tried again. */
  lost: (problem: Problem) => void
}

/** The facade says something every 15 s; a line that is quiet for so long is dead, whatever the network thinks. */
export const SILENCE_MS = 40_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
const NAMES: readonly string[] = ['status', 'state', 'command', 'event', 'alarm'] satisfies (keyof Told)[]

/**
 * Follow the stream until `close`. Unlike EventSource it sees signs of life and statuses, and keeps its place in the
 * order over every kind of break; the rules of going on (`Last-Event-ID`, `retry`) are the same.
 */
export function follow(address: string, events: StreamEvents): { close: () => void; hurry: () => void } {
  let lastId = ''
  let pauseMs = FIRST_PAUSE_MS
  let closed = false
  let current: AbortController | undefined
  let wake: (() => void) | undefined

  async function line(): Promise<void> {
    const control = new AbortController()
    current = control
    let watchdog = setTimeout(() => control.abort(), SILENCE_MS)
    const alive = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => control.abort(), SILENCE_MS)
      events.heard()
    }
    try {
      const headers = { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) }
      const answer = await fetch(address, {
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: control.signal,
      })
      if (!answer.ok || !answer.body) throw await problemOf(answer, false)
      if (lastId) events.opened(false)
      await listen(answer.body, alive)
      throw new Problem('unreachable', 0, 'the line was closed')
    } finally {
      clearTimeout(watchdog)
      control.abort()
    }
  }

  async function listen(body: ReadableStream<Uint8Array>, alive: () => void): Promise<void> {
    const parse = parser()
    const text = new TextDecoder()
    const reader = body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || closed) return
      alive()
      pauseMs = FIRST_PAUSE_MS
      for (const each of parse(text.decode(value, { stream: true }))) {
        tell(each, events)
        // Only once it was told, it counts as told.
        lastId = each.id ?? lastId
      }
    }
  }

  async function keepFollowing(): Promise<void> {
    while (!closed) {
      try {
        await line()
      } catch (error) {
        if (closed) return
        events.lost(error instanceof Problem ? error : new Problem('unreachable', 0, String(error)))
      }
      await new Promise<void>(resolve => {
        wake = resolve
        setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2))
      })
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    }
  }

  void keepFollowing()
  return {
    close: () => {
      closed = true
      current?.abort()
      wake?.()
    },
    /** Try at once: the network is back, or somebody looks. */
    hurry: () => {
      pauseMs = FIRST_PAUSE_MS
      wake?.()
    },
  }
}

function tell({ name, data }: ServerSent, events: StreamEvents): void {
  if (name === 'hello' || name === 'reset') events.opened(true)
  else if (NAMES.includes(name)) events.told(name as keyof Told, JSON.parse(data))
}
