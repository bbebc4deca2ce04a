import { effect, type Signal, signal } from '@preact/signals'
import { session } from '../../state/session'
import type { Draft } from './draft'

/** What was typed and not yet written, by device: it outlives a look at another page. */
const drafts = new Map<string, Signal<Draft | undefined>>()

export function draftOf(site: string, device: string): Signal<Draft | undefined> {
  const name = `${site}/${device}`
  const found = drafts.get(name)
  if (found) return found
  const made = signal<Draft | undefined>(undefined)
  drafts.set(name, made)
  return made
}

effect(() => {
  if (!session.value) drafts.clear()
})
