import { carried, type Stretch } from './stretch'

interface Carrying {
  /** What is shown when the first finger comes. */
  stretch: () => Stretch
  /** While fingers move. */
  moved: (stretch: Stretch) => void
  /** When the last one has gone. */
  ended: (stretch: Stretch) => void
}

/** One finger carries a chart along, two make it longer or shorter; a mouse does neither. Returns what ends that. */
export function followFingers(element: HTMLElement, mirrored: () => boolean, carrying: Carrying): () => void {
  const fingers = new Map<number, number>()
  let before: number[] = []
  let start: Stretch | undefined
  let shown: Stretch | undefined

  const shareOf = (event: PointerEvent) => {
    const { left, width } = element.getBoundingClientRect()
    const share = (event.clientX - left) / width
    return mirrored() ? 1 - share : share
  }
  /** A finger more or less: what is shown now is what is carried from now on. */
  const begin = () => {
    start = shown ?? carrying.stretch()
    before = [...fingers.values()]
  }
  const down = (event: PointerEvent) => {
    if (event.pointerType !== 'touch' || fingers.size >= 2) return
    fingers.set(event.pointerId, shareOf(event))
    begin()
  }
  const move = (event: PointerEvent) => {
    if (!start || !fingers.has(event.pointerId)) return
    fingers.set(event.pointerId, shareOf(event))
    shown = carried(start, before, [...fingers.values()])
    carrying.moved(shown)
  }
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return
    if (fingers.size > 0) return begin()
    if (shown) carrying.ended(shown)
    start = shown = undefined
  }
  const events = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up } as const
  const names = Object.keys(events) as (keyof typeof events)[]
  for (const name of names) element.addEventListener(name, events[name])
  return () => {
    for (const name of names) element.removeEventListener(name, events[name])
  }
}
