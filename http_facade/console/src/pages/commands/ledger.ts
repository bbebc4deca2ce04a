import { read } from '../../api/client'
import { type Command, latest, toldCommands } from '../../state/commands'
import { momentOf, newestFirst } from '../../state/following'
import { type Pages, usePages } from '../../state/pages'
import { asked, type Filters, fits } from './filters'

const PAGE = 50

/** The ledger behind these filters, newest first: read page by page, and live by the stream. */
export function useLedger(filters: Filters): Pages<Command> {
  const query = asked(filters)
  const pages = usePages(
    async (cursor: string | undefined, signal) =>
      (await read('/v1/commands', { query: { ...query, limit: PAGE, ...(cursor ? { cursor } : {}) } as never, signal }))
        .body,
    [query],
  )
  return { ...pages, items: pages.items && merged(pages.items, pages.more === undefined, filters) }
}

/** What was read and what was told since, without what lies beyond the last page that was read. */
export function merged(read: readonly Command[], whole: boolean, filters: Filters): readonly Command[] {
  const all = new Map(read.map(each => [each.id, latest(each)]))
  const end = whole ? -Infinity : Math.min(...read.map(momentOf))
  for (const each of toldCommands.value.values()) {
    if (!all.has(each.id) && momentOf(each) >= end) all.set(each.id, each)
  }
  return [...all.values()].filter(each => fits(each, filters)).sort(newestFirst)
}
