import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { change, newKey, read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import { serverNow } from './clock'
import { type Command, learn } from './commands'
import type { Value } from './description'

/** Where something is wished: settings of a device (`write`), or one of its actions. */
export interface Place {
  readonly site: string
  readonly device: string
  readonly name: string
}

/** One thing that somebody decided, and what is known of it. Its key names it wherever and however often it is sent. */
export interface Wish {
  readonly key: string
  readonly input: Readonly<Record<string, Value>>
  /** The revision that the settings must still have. */
  readonly revision?: string | undefined
  /** By the facade's clock. */
  readonly decidedAt: number
  /**
   * `asking`: on its way. `known`: it is a command, see `command`. `refused`: nothing was and nothing will be done.
   * `unanswered`: it may have become a command; the ledger is looked at. `lost`: it has not, and never will.
   */
  readonly phase: 'asking' | 'known' | 'refused' | 'unanswered' | 'lost'
  readonly command?: Command | undefined
  readonly problem?: Problem | undefined
}

const WAIT_S = 10
/** When the same key is sent again after no answer, and how often. */
const PAUSES_MS = [1_000, 3_000]
const LOOK_MS = 3_000
/** No request that was sent lives so long at the facade: what is not recorded by then, never will be. */
const LOST_MS = 75_000

const wishes = new Map<string, Signal<Wish | undefined>>()
const nameOf = ({ site, device, name }: Place) => `tidegate.wish ${site}/${device}/${name}`

/** The last wish at this place; it outlives the page, and an unanswered one the browser's reload. */
export function wishAt(place: Place): ReadonlySignal<Wish | undefined> {
  return storeOf(place)
}

function storeOf(place: Place): Signal<Wish | undefined> {
  const name = nameOf(place)
  const found = wishes.get(name)
  if (found) return found
  const made = signal<Wish | undefined>(restored(name))
  wishes.set(name, made)
  if (made.value) void look(place, made)
  return made
}

function restored(name: string): Wish | undefined {
  try {
    const kept = sessionStorage.getItem(name)
    return kept === null ? undefined : { ...(JSON.parse(kept) as Wish), phase: 'unanswered' }
  } catch {
    return undefined
  }
}

function keep(place: Place, wish: Wish | undefined): void {
  storeOf(place).value = wish
  const open = wish?.phase === 'asking' || wish?.phase === 'unanswered'
  const { problem: _, ...rest } = wish ?? {}
  try {
    if (open) sessionStorage.setItem(nameOf(place), JSON.stringify(rest))
    else sessionStorage.removeItem(nameOf(place))
  } catch {
    // Storage may be forbidden; then it lasts as long as the page.
  }
}

/** Somebody has decided: this is a wish of its own, with a key of its own. */
export async function ask(place: Place, input: Wish['input'], revision?: string): Promise<void> {
  const wish: Wish = { key: newKey(), input, revision, decidedAt: serverNow(), phase: 'asking' }
  keep(place, wish)
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    const met = await send(place, wish)
    // A refusal says nothing of what the same key had led to before it.
    const again = pauseMs !== PAUSES_MS[0]
    const phase = met.phase === 'refused' && again ? 'unanswered' : met.phase
    if (phase !== 'unanswered' || pauseMs === undefined) {
      keep(place, { ...met, phase })
      if (phase === 'unanswered') void look(place, storeOf(place))
      return
    }
    keep(place, { ...met, phase: 'asking' })
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
}

async function send({ site, device, name }: Place, wish: Wish): Promise<Wish> {
  const { input: body, key } = wish
  try {
    const answer =
      name === 'write'
        ? await change('patch', '/v1/sites/{site}/devices/{device}/settings', {
            path: { site, device },
            body,
            key,
            waitS: WAIT_S,
            ...(wish.revision ? { ifMatch: `"${wish.revision}"` } : {}),
          })
        : await change('post', '/v1/sites/{site}/devices/{device}/actions/{action}', {
            path: { site, device, action: name },
            body,
            key,
            waitS: WAIT_S,
          })
    return known(wish, answer.body)
  } catch (error) {
    const problem = asProblem(error)
    if (problem.command) return known(wish, problem.command, problem)
    return { ...wish, phase: problem.mayHaveHappened ? 'unanswered' : 'refused', problem }
  }
}

function known(wish: Wish, command: Command, problem?: Problem): Wish {
  learn(command)
  return { ...wish, phase: 'known', command, problem }
}

/** Look into the ledger until it is known whether the wish became a command: without a row there nothing is ever sent. */
async function look(place: Place, store: Signal<Wish | undefined>): Promise<void> {
  const { site, device } = place
  for (;;) {
    const wish = store.value
    if (wish?.phase !== 'unanswered') return
    try {
      const askedAt = serverNow()
      const { body } = await read('/v1/commands', { query: { site, device, limit: 100 } })
      if (store.value?.key !== wish.key) return
      const command = body.items.find(each => each.idempotency_key === wish.key)
      if (command) keep(place, known(wish, command))
      else if (askedAt - wish.decidedAt > LOST_MS && reaches(body, wish)) keep(place, { ...wish, phase: 'lost' })
    } catch {
      // Still nobody knows.
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}

/** Whether a page of the ledger goes back to before the wish. */
function reaches({ items, next }: { items: Command[]; next: string | null }, wish: Wish): boolean {
  return next === null || items.some(each => Date.parse(each.issued_at ?? '') < wish.decidedAt - LOOK_MS)
}

/** Whether it is under way. Of one that became unknown the ledger tells: it holds what comes after it, whoever asked. */
export function isOpen(wish: Wish | undefined, command: Command | undefined): boolean {
  if (wish === undefined || wish.phase === 'refused' || wish.phase === 'lost') return false
  return command === undefined || !(command.final || command.state === 'unknown')
}

/** What became of it was read; there is room for another wish. An open one stays. */
export function dismiss(place: Place): void {
  const { phase } = storeOf(place).value ?? {}
  if (phase !== 'asking' && phase !== 'unanswered') keep(place, undefined)
}
