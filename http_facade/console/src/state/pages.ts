import { useEffect, useRef, useState } from 'preact/hooks'
import { asProblem, type Problem } from '../api/problem'
import { epoch } from './connection'

interface Page<T, C> {
  readonly items: readonly T[]
  readonly next: C | null
}

export interface Pages<T> {
  /** All that was read so far; undefined until the first page came. */
  readonly items: readonly T[] | undefined
  readonly problem: Problem | undefined
  readonly loading: boolean
  /** Reads the next page; undefined at the end. */
  readonly more: (() => void) | undefined
  /** From the first page on. */
  readonly again: () => void
}

/** A list that comes in pages, each below the one before. It begins anew when `inputs` change. */
export function usePages<T, C>(
  ask: (cursor: C | undefined, signal: AbortSignal) => Promise<Page<T, C>>,
  inputs: readonly unknown[],
): Pages<T> {
  const [state, setState] = useState<{ items?: readonly T[]; next: C | null; problem?: Problem; loading: boolean }>({
    next: null,
    loading: true,
  })
  const [begun, setBegun] = useState(0)
  const latest = useRef(ask)
  latest.current = ask
  const control = useRef<AbortController>()

  const turn = async (cursor: C | undefined, before: readonly T[]) => {
    const { signal } = control.current ?? new AbortController()
    setState(known => ({ ...(known.items ? { items: known.items } : {}), next: known.next, loading: true }))
    try {
      const { items, next } = await latest.current(cursor, signal)
      if (!signal.aborted) setState({ items: [...before, ...items], next, loading: false })
    } catch (error) {
      if (!signal.aborted) setState(known => ({ ...known, problem: asProblem(error), loading: false }))
    }
  }
  const key = JSON.stringify(inputs)
  useEffect(() => {
    control.current = new AbortController()
    void turn(undefined, [])
    return () => control.current?.abort()
  }, [key, begun, epoch.value])

  const { items, next, problem, loading } = state
  return {
    items,
    problem,
    loading,
    more: next === null ? undefined : () => void turn(next, items ?? []),
    again: () => setBegun(begun + 1),
  }
}
