import { useEffect, useState } from 'preact/hooks'
import { read } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { type Command, latest, toldCommands } from '../../state/commands'
import { momentOf, newestFirst } from '../../state/following'
import { useReading } from '../../state/reading'
import { asked, type Filters, fits } from './filters'

const PAGE = 50

export interface Ledger {
  /** Newest first, as they are now; undefined until some were read. */
  readonly commands: readonly Command[] | undefined
  readonly problem: Problem | undefined
  readonly loading: boolean
  readonly again: () => void
  /** Reads the page that follows; undefined at the end. */
  readonly older: (() => void) | undefined
}

interface Older {
  readonly items: readonly Command[]
  readonly next: string | null
  readonly problem?: Problem
  readonly loading?: boolean
}

/** The ledger behind these filters: read page by page, and live by the stream. */
export function useLedger(filters: Filters): Ledger {
  const query = asked(filters)
  const first = useReading(
    async signal => (await read('/v1/commands', { query: { ...query, limit: PAGE } as never, signal })).body,
    [query],
  )
  const [older, setOlder] = useState<Older>()
  useEffect(() => setOlder(undefined), [first.at])

  const next = older ? older.next : first.value?.next
  const readOlder = async (cursor: string) => {
    const before = older?.items ?? []
    setOlder({ items: before, next: cursor, loading: true })
    try {
      const { body } = await read('/v1/commands', { query: { ...query, limit: PAGE, cursor } as never })
      setOlder({ items: [...before, ...body.items], next: body.next })
    } catch (error) {
      setOlder({ items: before, next: cursor, problem: asProblem(error) })
    }
  }
  return {
    commands: first.value && merged([...first.value.items, ...(older?.items ?? [])], next ?? null, filters),
    problem: first.problem ?? older?.problem,
    loading: first.loading || (older?.loading ?? false),
    again: first.again,
    older: next ? () => void readOlder(next) : undefined,
  }
}

/** What was read and what was told since, without what lies beyond the last page that was read. */
export function merged(read: readonly Command[], next: string | null, filters: Filters): readonly Command[] {
  const all = new Map(read.map(each => [each.id, latest(each)]))
  const end = next === null ? -Infinity : Math.min(...read.map(momentOf))
  for (const each of toldCommands.value.values()) {
    if (!all.has(each.id) && momentOf(each) >= end) all.set(each.id, each)
  }
  return [...all.values()].filter(each => fits(each, filters)).sort(newestFirst)
}
