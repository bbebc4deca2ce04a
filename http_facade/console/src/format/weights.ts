import { withUnit } from './numbers'

/** Food as people weigh it: grams, from a kilogram on kilograms; null is unknown, never 0. */
export function weight(grams: number | null): string {
  if (grams !== null && Math.abs(grams) >= 1_000) return withUnit(Math.round(grams / 10) / 100, 'kg')
  return withUnit(grams === null ? null : Math.round(grams), 'g')
}
