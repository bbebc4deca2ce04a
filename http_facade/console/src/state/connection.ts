import { computed, signal } from '@preact/signals'
import type { Problem } from '../api/problem'
import { follow, type StreamEvents, type Told } from '../api/stream'
import { now, serverNow } from './clock'

export type LineState = 'connecting' | 'live' | 'interrupted' | 'offline'

const line = signal<'connecting' | 'live' | 'interrupted'>('connecting')
const online = signal(navigator.onLine)
/** When the stream last gave a sign of life, by the facade's clock. */
const heardAt = signal<number | undefined>(undefined)
/** Why the line is cut. */
export const cut = signal<Problem | undefined>(undefined)

/**
 * How much of what is shown can be live. A change that happened before `asOf` is on the screen; while the line is live
 * that is this very second, for the facade tells what changes within one.
 */
export const connection = computed<{ state: LineState; asOf: number | undefined }>(() => {
  const state = online.value || line.value === 'live' ? line.value : 'offline'
  return { state, asOf: state === 'live' ? now.value : heardAt.value }
})

/** Moves whenever everything must be read anew: at the start, and when the stream cannot tell what was missed. */
export const epoch = signal(0)

type Listener<K extends keyof Told> = (body: Told[K]) => void
const listeners: { [K in keyof Told]: Set<Listener<K>> } = {
  status: new Set(),
  state: new Set(),
  command: new Set(),
  event: new Set(),
  alarm: new Set(),
}

/** Hear what the stream tells under this name, until the returned function is called. */
export function onTold<K extends keyof Told>(name: K, listener: Listener<K>): () => void {
  listeners[name].add(listener)
  return () => listeners[name].delete(listener)
}

const events: StreamEvents = {
  opened: fresh => {
    if (fresh) epoch.value += 1
  },
  told: (name, body) => {
    for (const listener of listeners[name]) listener(body)
  },
  heard: () => {
    heardAt.value = serverNow()
    line.value = 'live'
    cut.value = undefined
  },
  lost: problem => {
    line.value = 'interrupted'
    cut.value = problem
  },
}

let current: ReturnType<typeof follow> | undefined

/** Follow the stream, from sign-in to sign-out. */
export function connect(): void {
  current?.close()
  line.value = 'connecting'
  current = follow('/v1/stream', events)
}

export function disconnect(): void {
  current?.close()
  current = undefined
  line.value = 'connecting'
  heardAt.value = undefined
  cut.value = undefined
}

export function tryNow(): void {
  current?.hurry()
}

addEventListener('online', () => {
  online.value = true
  tryNow()
})
addEventListener('offline', () => {
  online.value = false
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && line.value !== 'live') tryNow()
})
