import { age } from '../format/ages'
import { now } from '../state/clock'

export interface AgeProps {
  /** The moment, by the facade's clock. */
  of: string | number
  /** What is said with the age in it; the age alone if nothing is. */
  words?: (age: string) => string
}

/** `12 seconds ago`, in a sentence, counted on; only this text is drawn anew each second. */
export function Age({ of, words = each => each }: AgeProps) {
  return <span class="digits">{words(age(of, now.value))}</span>
}
