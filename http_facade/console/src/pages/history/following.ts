import { useEffect, useRef, useState } from 'preact/hooks'
import { read } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { serverNow } from '../../state/clock'
import { epoch, onTold } from '../../state/connection'
import type { Course } from './course'
import { type Mark, marksOf } from './marks'
import type { Stretch, View } from './stretch'

/** While somebody still zooms, nothing is asked. */
const SETTLED_MS = 150
const QUICKEST_MS = 2_000
const SLOWEST_MS = 60_000
/** The most that the facade lists at once. */
export const MOST_MARKS = 200

/** The present, moving by about a pixel at a time while the view follows it. */
export function useNow(view: View, points: number): number {
  const [nowMs, setNow] = useState(serverNow)
  const paceMs = Math.min(Math.max(view.spanMs / points, QUICKEST_MS), SLOWEST_MS)
  const following = view.endMs === undefined
  useEffect(() => {
    setNow(serverNow())
    if (!following) return
    const move = () => {
      if (!document.hidden) setNow(serverNow())
    }
    const timer = setInterval(move, paceMs)
    document.addEventListener('visibilitychange', move)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', move)
    }
  }, [following, paceMs])
  return nowMs
}

interface Held<T> {
  readonly value: T | undefined
  readonly problem: Problem | undefined
  readonly loading: boolean
}

/** What was read last stays until the answer to the newest question is there: a chart that is zoomed does not blink. */
function useLatest<T>(ask: (signal: AbortSignal) => Promise<T>, about: string, inputs: unknown[]): Held<T> {
  const [held, setHeld] = useState<Held<T> & { about?: string }>({
    value: undefined,
    problem: undefined,
    loading: true,
  })
  const latest = useRef(ask)
  latest.current = ask
  const asked = useRef(false)
  useEffect(() => {
    const control = new AbortController()
    setHeld(before => ({ ...before, loading: true }))
    const timer = setTimeout(
      () => {
        asked.current = true
        latest.current(control.signal).then(
          value => !control.signal.aborted && setHeld({ value, problem: undefined, loading: false, about }),
          (error: unknown) =>
            !control.signal.aborted && setHeld(before => ({ ...before, problem: asProblem(error), loading: false })),
        )
      },
      asked.current ? SETTLED_MS : 0,
    )
    return () => {
      clearTimeout(timer)
      control.abort()
    }
  }, [about, epoch.value, ...inputs])
  return held.about === about ? held : { value: undefined, problem: held.problem, loading: held.loading }
}

export interface Courses extends Stretch {
  readonly of: readonly Course[]
}

const iso = (moment: number) => new Date(moment).toISOString()

/** The course of each property over the stretch, in as many points. */
export function useCourses(
  place: { site: string; device: string },
  properties: readonly string[],
  { fromMs, toMs }: Stretch,
  points: number,
): Held<Courses> {
  const ask = async (signal: AbortSignal): Promise<Courses> => {
    const asking = properties.map(property =>
      read('/v1/sites/{site}/devices/{device}/history', {
        path: place,
        query: { property, from: iso(fromMs), to: iso(toMs), points },
        signal,
      }),
    )
    return { of: (await Promise.all(asking)).map(({ body }) => body), fromMs, toMs }
  }
  const about = JSON.stringify([place, properties])
  return useLatest(ask, about, [fromMs, toMs, points])
}

export interface Marks {
  readonly marks: readonly Mark[]
  /** There are older ones in the stretch that were not read. */
  readonly more: boolean
}

/** Commands and events of a device over the stretch; and anew when one of them is told. */
export function useMarks(place: { site: string; device: string }, stretch: Stretch, live: boolean): Held<Marks> {
  const [told, setTold] = useState(0)
  const { site, device } = place
  useEffect(() => {
    const hear = (body: { site: string; device?: string }) => {
      if (body.site === site && body.device === device) setTold(before => before + 1)
    }
    const ends = [onTold('command', hear), onTold('event', hear)]
    return () => {
      for (const end of ends) end()
    }
  }, [site, device])
  const ask = async (signal: AbortSignal): Promise<Marks> => {
    // What happened while it was asked belongs to a view of the present as well.
    const to = live ? {} : { to: iso(stretch.toMs) }
    const query = { site, device, from: iso(stretch.fromMs), ...to, limit: MOST_MARKS }
    const [commands, events] = await Promise.all([
      read('/v1/commands', { query, signal }),
      read('/v1/events', { query, signal }),
    ])
    return {
      marks: marksOf(commands.body.items, events.body.items),
      more: commands.body.next !== null || events.body.next !== null,
    }
  }
  // A view of the present moves all the time; what is new in it is told.
  const inputs = live ? [stretch.toMs - stretch.fromMs] : [stretch.fromMs, stretch.toMs]
  return useLatest(ask, JSON.stringify([site, device]), [live, told, ...inputs])
}
