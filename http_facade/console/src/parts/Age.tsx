import { age } from '../format/ages'
import { now } from '../state/clock'

/** `12 seconds ago`, by the facade's clock, counted on; only this text is drawn anew each second. */
export function Age({ of }: { of: string | number }) {
  return <span class="digits">{age(of, now.value)}</span>
}
