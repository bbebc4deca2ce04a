import { effect, signal } from '@preact/signals'
import { session } from '../../state/session'

/** The tokens of previews that were made on this page: told once, kept nowhere, gone with the page. */
const kept = signal<ReadonlyMap<string, string>>(new Map())

export function tokenOf(group: string): string | undefined {
  return kept.value.get(group)
}

export function keepToken(group: string, token: string): void {
  kept.value = new Map(kept.value).set(group, token)
}

effect(() => {
  if (!session.value) kept.value = new Map()
})
