import { signal } from '@preact/signals'
import type { Command } from './commands'
import { remember, remembered } from './preferences'

/** After these the gateway asks the site no more: only somebody who looks can tell. */
const FOR_A_PERSON: readonly string[] = ['journal-lost', 'no-evidence', 'no-confirmation']

export function needsPerson(command: Command): boolean {
  return command.state === 'unknown' && FOR_A_PERSON.includes(command.code ?? '')
}

const KEPT = 50
const seen = signal<readonly string[]>((remembered('looked') ?? '').split(' ').filter(Boolean))

/** Somebody at this browser has looked at the site and answers for what comes next. The command stays unknown. */
export function looked(commands: readonly Command[]): void {
  seen.value = [...seen.value, ...commands.map(each => each.id)].slice(-KEPT)
  remember('looked', seen.value.join(' '))
}

/** The commands of this name that may have taken effect, and so forbid the next one. */
export function doubtsOf(commands: readonly Command[] | undefined, name: string): readonly Command[] {
  return (commands ?? []).filter(
    each => each.name === name && each.state === 'unknown' && !(needsPerson(each) && seen.value.includes(each.id)),
  )
}
