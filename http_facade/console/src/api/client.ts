import { heardFrom } from '../state/clock'
import { Problem, problemOf } from './problem'
import type { paths } from './schema'

type Method = 'get' | 'post' | 'patch' | 'delete'
type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : undefined
type Success<R> = R extends { 200: infer A } ? Json<A> : R extends { 201: infer A } ? Json<A> : undefined
type Operation<P extends keyof paths, M extends Method> = paths[P][M]

/** The paths that know a method, as the OpenAPI document writes them. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: Operation<P, M> extends { responses: unknown } ? P : never
}[keyof paths]
/** What a path answers to a method when all is well. */
export type AnswerOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? Success<R> : never
type Query<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: { query?: infer Q } } ? Q : never

export interface Answer<Body> {
  readonly status: number
  readonly body: Body
  /** For `ifMatch`, quotes and all. */
  readonly etag: string | null
  /** Where the command of a 202 can be looked at. */
  readonly location: string | null
  /** The key named a command that was there before; nothing was done again. */
  readonly replayed: boolean
}

export interface Asking<P extends keyof paths, M extends Method> {
  /** Values for the braces of the path. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Query<P, M> & object
  readonly signal?: AbortSignal
}

export interface Changing<P extends keyof paths, M extends Method> extends Asking<P, M> {
  readonly body?: unknown
  readonly ifMatch?: string
  /** How long to wait for a command's outcome; the facade takes 30 at most. */
  readonly waitS?: number
  /** What is meant to happen once, however often it is sent. */
  readonly key?: string
}

/** Beyond what the facade was asked to wait, an answer that has not come is not waited for any more. */
const PATIENCE_MS = 15_000

let proof = ''
let renewProof: (() => Promise<boolean>) | undefined
let onSignedOut: () => void = () => {}

/** What `X-CSRF-Token` holds: who is signed in got it with the session. */
export function useProof(csrf: string | null): void {
  proof = csrf ?? ''
}

/** What the session does when an answer says that it is over, and when its proof is not known any more. */
export function connectSession(actions: { signedOut: () => void; renew: () => Promise<boolean> }): void {
  onSignedOut = actions.signedOut
  renewProof = actions.renew
}

/** Read something. @throws Problem */
export function read<P extends PathOf<'get'>>(
  path: P,
  asking: Asking<P, 'get'> = {},
): Promise<Answer<AnswerOf<P, 'get'>>> {
  return ask('get', path, asking)
}

/** Change something. @throws Problem */
export function change<M extends Exclude<Method, 'get'>, P extends PathOf<M>>(
  method: M,
  path: P,
  changing: Changing<P, M> = {},
): Promise<Answer<AnswerOf<P, M>>> {
  return ask(method, path, changing)
}

/** A name for one wish; make it when the person decides, not when the request is sent, so that sending again is safe. */
export function newKey(): string {
  // crypto.randomUUID is there on https only, and the console may be served without, on the site's own network.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}

async function ask<Body>(
  method: Method,
  path: string,
  changing: Changing<never, never> | Asking<never, never>,
  again = true,
): Promise<Answer<Body>> {
  const answer = await send(method, path, changing)
  if (answer.ok) return understood(answer, method !== 'get')
  const problem = await problemOf(answer, method !== 'get')
  if (problem.code === 'csrf-missing' && again && (await renewProof?.())) return ask(method, path, changing, false)
  if (problem.code === 'unauthorized') onSignedOut()
  throw problem
}

async function send(method: Method, path: string, changing: Changing<never, never>): Promise<Response> {
  const { waitS = 0, signal } = changing
  const patience = AbortSignal.timeout(waitS * 1000 + PATIENCE_MS)
  const began = performance.now()
  try {
    const answer = await fetch(addressOf(path, changing), {
      method: method.toUpperCase(),
      headers: headersOf(method, changing),
      ...('body' in changing ? { body: JSON.stringify(changing.body) } : {}),
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    })
    heardFrom(answer, began)
    return answer
  } catch (error) {
    if (signal?.aborted) throw error
    const code = patience.aborted ? 'too-slow' : 'unreachable'
    throw new Problem(code, 0, String(error), { mayHaveHappened: method !== 'get' })
  }
}

/** The path with its braces filled and its query. */
export function addressOf(path: string, { path: values = {}, query = {} }: Asking<never, never>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== '') asked.append(name, String(each))
    }
  }
  return asked.size ? `${filled}?${asked}` : filled
}

function headersOf(method: Method, changing: Changing<never, never>): Record<string, string> {
  const { ifMatch, waitS, key } = changing
  return {
    Accept: 'application/json, application/problem+json',
    ...('body' in changing
      ? { 'Content-Type': method === 'patch' ? 'application/merge-patch+json' : 'application/json' }
      : {}),
    ...(method !== 'get' && proof ? { 'X-CSRF-Token': proof } : {}),
    ...(ifMatch ? { 'If-Match': ifMatch } : {}),
    ...(waitS === undefined ? {} : { Prefer: `wait=${waitS}` }),
    ...(key ? { 'Idempotency-Key': key } : {}),
  }
}

async function understood<Body>(answer: Response, changing: boolean): Promise<Answer<Body>> {
  const { headers, status } = answer
  try {
    return {
      status,
      body: (status === 204 ? undefined : await answer.json()) as Body,
      etag: headers.get('ETag'),
      location: headers.get('Location'),
      replayed: headers.get('Idempotency-Replayed') === 'true',
    }
  } catch (error) {
    throw new Problem('not-understood', status, String(error), { mayHaveHappened: changing })
  }
}
