import { effect, signal } from '@preact/signals'
import { change, connectSession, read, useProof } from '../api/client'
import { Problem } from '../api/problem'
import type { components } from '../api/schema'
import { connect, cut, disconnect } from './connection'
import { lastName } from './preferences'

export type Session = components['schemas']['Session']
export type Role = Session['role']
export const ROLES: readonly Role[] = ['viewer', 'operator', 'engineer', 'admin']

/** Undefined until it is known; null where nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined)
/** Why the session could not be asked for: nothing is known then, not even that nobody is signed in. */
export const sessionProblem = signal<Problem | undefined>(undefined)
/** Whether the session ended without anybody asking for that, which the sign-in page then says. */
export const ended = signal(false)

/** Whether who is signed in may do what needs this role. It only hides: the facade decides, by the same order. */
export function may(needed: Role): boolean {
  const role = session.value?.role
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed)
}

/** Ask who is signed in; a browser in which nobody ever was need not ask. */
export async function recall(): Promise<void> {
  if (!lastName.value) {
    session.value = null
    return
  }
  sessionProblem.value = undefined
  try {
    begin((await read('/v1/session')).body)
  } catch (error) {
    if (error instanceof Problem && error.status === 401) session.value = null
    else sessionProblem.value = error as Problem
  }
}

/** @throws Problem */
export async function signIn(name: string, password: string): Promise<void> {
  begin((await change('post', '/v1/session', { body: { name, password } })).body)
}

/** @throws Problem the session still stands. */
export async function signOut(): Promise<void> {
  await change('delete', '/v1/session')
  lastName.value = ''
  end(false)
}

function begin(found: Session): void {
  useProof(found.csrf)
  lastName.value = found.name
  ended.value = false
  session.value = found
  connect()
}

function end(unasked: boolean): void {
  ended.value = unasked
  session.value = null
  useProof(null)
  disconnect()
}

connectSession({
  signedOut: () => {
    if (session.value) end(true)
  },
  renew: async () => {
    await recall()
    return Boolean(session.value)
  },
})

// The stream is the first to hear that a session is over.
effect(() => {
  if (cut.value?.code === 'unauthorized' && session.peek()) end(true)
})
