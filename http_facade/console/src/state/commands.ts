import { effect, signal } from '@preact/signals'
import type { components } from '../api/schema'
import { onTold } from './connection'
import { session } from './session'

export type Command = components['schemas']['Command']

/** So many of the latest are kept; a list shows what was read, replaced by what is known here. */
const KEPT = 500
const told = signal<ReadonlyMap<string, Command>>(new Map())

/** What the stream has told since this page was opened, newest last, by id. */
export const toldCommands = told

/** A command as it is known now: what was told if that is later in its life than what was read. */
export function latest<C extends Command>(read: C): C {
  const heard = told.value.get(read.id)
  return heard === undefined || read.final ? read : { ...read, ...heard }
}

/** Take over what an answer to a change told, so that every list shows it before the stream does. */
export function learn(command: Command): void {
  if (told.value.get(command.id)?.final) return
  const next = new Map(told.value)
  next.delete(command.id)
  next.set(command.id, command)
  for (const id of next.keys()) {
    if (next.size <= KEPT) break
    next.delete(id)
  }
  told.value = next
}

onTold('command', body => {
  if (!('gone' in body)) learn(body)
})

effect(() => {
  if (!session.value) told.value = new Map()
})
