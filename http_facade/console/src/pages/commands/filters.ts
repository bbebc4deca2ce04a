import type { Command } from '../../state/commands'
import { momentOf } from '../../state/following'

export const FILTERS = ['site', 'device', 'actor', 'state', 'from', 'to'] as const
export type Filter = (typeof FILTERS)[number]
/** As they stand in the page's address; times as a local `2026-11-27T14:00`, as fields hold them. */
export type Filters = Readonly<Partial<Record<Filter, string>>>

export function filtersOf(query: Readonly<Record<string, string>>): Filters {
  return Object.fromEntries(FILTERS.flatMap(name => (query[name] ? [[name, query[name]]] : [])))
}

/** As the facade takes them. */
export function asked(filters: Filters): Record<string, string> {
  const query: Record<string, string> = { ...filters }
  for (const end of ['from', 'to'] as const) {
    const moment = new Date(filters[end] ?? '')
    if (Number.isNaN(moment.getTime())) delete query[end]
    else query[end] = moment.toISOString()
  }
  return query
}

/** Whether a command that was told belongs into the list. */
export function fits(command: Command, filters: Filters): boolean {
  const { site, device, actor, state, from, to } = filters
  const moment = momentOf(command)
  return (
    (!site || command.site === site) &&
    (!device || command.device === device) &&
    (!actor || command.actor === actor) &&
    (!state || command.state === state) &&
    (!from || moment >= Date.parse(from)) &&
    (!to || moment < Date.parse(to))
  )
}
