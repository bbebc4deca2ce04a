import { computed, signal } from '@preact/signals'

/**
 * The facade's clock, as far as its answers tell it. This machine's clock may be wrong, and a phone's often is, so what
 * the console calls "3 s ago" is counted between two times of the facade.
 */

/** Facade time minus `performance.now()`, in milliseconds. */
let offset: number | undefined
/** `Date` has whole seconds: an answer says that the time is at least so late. Beyond this it contradicts the offset. */
const COARSE_MS = 2_000

const ticks = signal(0)
setInterval(() => {
  ticks.value += 1
}, 1_000)
// A page that was asleep must not show old ages for the second until the next tick.
document.addEventListener('visibilitychange', () => {
  ticks.value += 1
})

/** The facade's time now, in milliseconds since 1970; this machine's until the first answer. */
export function serverNow(): number {
  return offset === undefined ? Date.now() : performance.now() + offset
}

/** The same as a signal that moves every second: what reads it in its rendering stays right. */
export const now = computed(() => {
  ticks.value
  return serverNow()
})

/** Learn the time from an answer; `began` is when it was asked for. */
export function heardFrom(answer: Response, began: number): void {
  const said = Date.parse(answer.headers.get('Date') ?? '')
  if (Number.isNaN(said)) return
  const received = performance.now()
  const least = said - received
  const most = said + 1_000 - began
  if (offset === undefined || offset < least || offset > most + COARSE_MS) offset = least
}

/** For tests: as if nothing had been heard. */
export function forgetTime(): void {
  offset = undefined
}
