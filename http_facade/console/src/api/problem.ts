import type { components } from './schema'

type Schemas = components['schemas']
export type Command = Schemas['Command']
export type Fault = Schemas['Fault']

/** Codes that are the console's own: what went wrong between it and the facade. */
export type OwnCode = 'unreachable' | 'too-slow' | 'not-understood'

/** Whatever is wrong, in one shape: a problem of the facade (RFC 9457), or of the way there. Branch on `code`. */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    /** Stable: one of docs/http.md, of an ack, or an {@link OwnCode}. */
    readonly code: string,
    /** HTTP's; 0 if there was no answer. */
    readonly status: number,
    /** English, for whoever looks closely; the words for people stand under `problems`. */
    readonly detail: string,
    readonly facts: Readonly<{
      errors?: readonly Fault[]
      command?: Command
      retryAfterS?: number
      /** The members of one code: `silent_s`, `limit`, `allowed`, `live` and so on. */
      members?: Readonly<Record<string, unknown>>
      /** It answered a change that may have been carried out all the same: look, do not repeat it with a new key. */
      mayHaveHappened?: boolean
    }> = {},
  ) {
    super(`${code}: ${detail}`)
  }

  get command(): Command | undefined {
    return this.facts.command
  }

  get mayHaveHappened(): boolean {
    return this.facts.mayHaveHappened ?? false
  }
}

/** The problem that an answer holds; an answer in any other shape is one that is not understood. */
export async function problemOf(answer: Response, changing: boolean): Promise<Problem> {
  const body = await members(answer)
  if (body === undefined) {
    // Of a proxy between us, which cannot know what the facade did.
    const facts = { mayHaveHappened: changing && answer.status >= 500 }
    return new Problem('not-understood', answer.status, `HTTP ${answer.status}`, facts)
  }
  const { code, detail, errors, command, type: _type, title, status: _status, instance: _instance, ...rest } = body
  const retryAfterS = Number(answer.headers.get('Retry-After') ?? Number.NaN)
  return new Problem(String(code), answer.status, String(detail ?? title ?? ''), {
    ...(Array.isArray(errors) ? { errors: errors as Fault[] } : {}),
    ...(command ? { command: command as Command } : {}),
    ...(Number.isFinite(retryAfterS) ? { retryAfterS } : {}),
    members: rest,
    mayHaveHappened: changing && code === 'internal-error',
  })
}

async function members(answer: Response): Promise<Record<string, unknown> | undefined> {
  if (!answer.headers.get('Content-Type')?.startsWith('application/problem+json')) return undefined
  try {
    const body: unknown = await answer.json()
    return typeof body === 'object' && body !== null && 'code' in body ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Anything that was thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem('not-understood', 0, String(thrown))
}
