import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { asProblem, type Problem } from '../api/problem'
import { serverNow } from './clock'
import { epoch } from './connection'

export interface Reading<T> {
  /** What was read last; it stays while newer is asked for, and when that fails. */
  readonly value: T | undefined
  /** When, by the facade's clock. */
  readonly at: number | undefined
  readonly problem: Problem | undefined
  readonly loading: boolean
  readonly again: () => void
}

/**
 * Read something for a page: at first, when `inputs` change, and whenever everything must be read anew. Answers that
 * come after a newer question do not count.
 */
export function useReading<T>(ask: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Reading<T> {
  const state = useSignal<Omit<Reading<T>, 'again'>>({
    value: undefined,
    at: undefined,
    problem: undefined,
    loading: true,
  })
  const asked = useSignal(0)
  const latest = useRef(ask)
  latest.current = ask
  const key = JSON.stringify(inputs)
  const lastKey = useRef(key)

  useEffect(() => {
    const control = new AbortController()
    const known = lastKey.current === key ? state.peek() : { value: undefined, at: undefined }
    lastKey.current = key
    state.value = { value: known.value, at: known.at, problem: undefined, loading: true }
    latest.current(control.signal).then(
      value => {
        if (!control.signal.aborted) state.value = { value, at: serverNow(), problem: undefined, loading: false }
      },
      (error: unknown) => {
        if (!control.signal.aborted) state.value = { ...state.peek(), problem: asProblem(error), loading: false }
      },
    )
    return () => control.abort()
  }, [key, epoch.value, asked.value, state])

  return { ...state.value, again: () => (asked.value += 1) }
}
