import type { Schema } from '../../state/description'

const SHARES = [0.1, 0.25, 0.5, 1]

/** A few amounts between the least and the most that one command may ask for, on the step. */
export function presets(schema: Schema, largest = Infinity): readonly number[] {
  const most = Math.min(schema.maximum ?? Infinity, largest)
  if (!Number.isFinite(most)) return []
  const step = schema.multipleOf ?? 1
  const found = SHARES.map(share => Math.floor((most * share) / step + 1e-9) * step)
  return [...new Set(found)].filter(each => each > 0 && each >= (schema.minimum ?? 0))
}
