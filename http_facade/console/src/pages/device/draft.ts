import type { Description, Schema, Value } from '../../state/description'
import { type FaultOf, isFault, type Typed, typedOf, valueTyped } from './values'

type Settings = Readonly<Record<string, Value | null>>
/** What a device reports: the settings, and the revision that stands for them. */
export interface Reported {
  readonly revision: string | null
  readonly settings: Settings
}

/** Settings that somebody is about to change, and those that they saw while they did so. */
export interface Draft {
  readonly base: Reported
  readonly typed: ReadonlyMap<string, Typed>
}

/** A setting with what it was and will be. */
export interface Difference {
  readonly name: string
  readonly schema: Schema
  readonly old: Value | null
  readonly new: Value | FaultOf
}

/** A setting that somebody else has changed since the form began. */
export interface Conflict {
  readonly name: string
  readonly schema: Schema
  readonly seen: Value | null
  readonly theirs: Value | null
  readonly mine: Value | FaultOf
}

export function typing(draft: Draft | undefined, reported: Reported, name: string, typed: Typed): Draft {
  const { base, typed: before } = draft ?? { base: reported, typed: new Map<string, Typed>() }
  return { base, typed: new Map(before).set(name, typed) }
}

/** What a field shows: what was typed, or what is reported. */
export function shown(draft: Draft | undefined, reported: Reported, name: string): Typed {
  return draft?.typed.get(name) ?? typedOf(reported.settings[name])
}

/** What the draft would change, in the description's order; what was typed back to how it was is no change. */
export function differences(description: Description, draft: Draft | undefined): readonly Difference[] {
  return Object.entries(description.properties ?? {}).flatMap(([name, schema]) => {
    const typed = draft?.typed.get(name)
    if (!draft || typed === undefined) return []
    const old = draft.base.settings[name] ?? null
    const value = valueTyped(schema, typed)
    return value === old || typed === typedOf(old) ? [] : [{ name, schema, old, new: value }]
  })
}

/** The changed settings that the device now reports otherwise than when the form began. */
export function conflicts(description: Description, draft: Draft | undefined, reported: Reported): readonly Conflict[] {
  if (!draft || draft.base.revision === reported.revision) return []
  return differences(description, draft).flatMap(({ name, schema, old, new: mine }) => {
    const theirs = reported.settings[name] ?? null
    return theirs === old || theirs === mine ? [] : [{ name, schema, seen: old, theirs, mine }]
  })
}

/** The draft on top of what is reported now; `dropped` are settings for which that stands. Nothing left is no draft. */
export function rebased(
  description: Description,
  draft: Draft,
  reported: Reported,
  dropped: readonly string[] = [],
): Draft | undefined {
  const typed = new Map([...draft.typed].filter(([name]) => !dropped.includes(name)))
  const next = { base: reported, typed }
  return differences(description, next).length > 0 ? next : undefined
}

/** What goes into the request, once nothing is at fault. */
export function patchOf(changes: readonly Difference[]): Record<string, Value> | undefined {
  const values: Record<string, Value> = {}
  for (const { name, new: value } of changes) {
    if (isFault(value)) return undefined
    values[name] = value
  }
  return changes.length > 0 ? values : undefined
}
