import { effect, signal } from '@preact/signals'
import { remember, remembered } from './preferences'

/** Whether an urgent alarm is heard as well; off until the person turns it on, and remembered. */
export const sound = signal(remembered('sound') === 'on')
/** Whether the browser lets nothing be heard yet: it wants a press on the page first. */
export const muted = signal(false)
effect(() => remember('sound', sound.value ? 'on' : null))

/** Two notes, twice: frequency in hertz, begin in seconds. */
const NOTES = [
  [880, 0],
  [660, 0.18],
  [880, 0.5],
  [660, 0.68],
] as const
const LENGTH_S = 0.16
const LOUDNESS = 0.25

let context: AudioContext | undefined

async function awake(): Promise<AudioContext | undefined> {
  if (!('AudioContext' in globalThis)) return undefined
  // Made without a press on the page it would never start.
  if (!context && navigator.userActivation?.hasBeenActive === false) {
    muted.value = true
    return undefined
  }
  context ??= new AudioContext()
  // Where the browser lets nothing be heard, this stays pending.
  if (context.state !== 'running') await Promise.race([context.resume(), new Promise(end => setTimeout(end, 300))])
  muted.value = context.state !== 'running'
  return muted.value ? undefined : context
}

/** Sound the alarm once. */
export async function play(): Promise<void> {
  const ready = await awake()
  if (!ready) return
  for (const [frequency, begin] of NOTES) {
    const at = ready.currentTime + begin
    const note = new OscillatorNode(ready, { frequency, type: 'triangle' })
    const loudness = new GainNode(ready, { gain: 0 })
    // Without a rise and a fall a note begins and ends with a click.
    loudness.gain.setValueAtTime(0, at)
    loudness.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02)
    loudness.gain.linearRampToValueAtTime(0, at + LENGTH_S)
    note.connect(loudness).connect(ready.destination)
    note.start(at)
    note.stop(at + LENGTH_S)
  }
}

/** Turned on, it is heard at once, so that whoever relies on it knows how it sounds, and how loud. */
export function turnSound(on: boolean): void {
  sound.value = on
  if (on) void play()
}

/** Any press lets the browser play from then on. */
function unlock(): void {
  if (sound.value && (muted.value || !context)) void awake()
}
addEventListener('pointerdown', unlock)
addEventListener('keydown', unlock)
effect(() => {
  if (sound.value) void awake()
})
