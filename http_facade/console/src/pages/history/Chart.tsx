import { useEffect, useRef, useState } from 'preact/hooks'
import { theme } from '../../state/preferences'
import { isMirrored, t } from '../../words/words'
import type { Line } from './course'
import { inks, type Look } from './looks'
import { MarkStrip } from './MarkStrip'
import type { Mark } from './marks'
import type { Plot } from './plot'
import { panned, type Stretch, zoomed } from './stretch'

const ZOOM = 1.5
const PAN = 0.25
const NARROW_PX = 560

export interface ChartProps {
  lines: readonly Line[]
  looks: readonly Look[]
  stretch: Stretch
  marks: readonly Mark[]
  zone: string
  width: number
  /** What it shows, for who does not see it. */
  label: string
  onStretch: (wanted: Stretch) => void
  onMoment: (atMs: number | undefined) => void
  /** Gives the canvas that is shown, for a picture of it. */
  onCanvas: (canvas: HTMLCanvasElement | undefined) => void
}

export const heightFor = (width: number) => (width < NARROW_PX ? 300 : 400)

/** Lines over time, with what happened below them; dragging, fingers, the wheel and keys show more or less of it. */
export function Chart(properties: ChartProps) {
  const { stretch, marks, zone, width, label, onStretch } = properties
  const host = useRef<HTMLDivElement>(null)
  const box = usePlot(host, properties)
  const mirrored = isMirrored()

  const press = (event: KeyboardEvent) => {
    const wanted = wantedBy(event.key, stretch, mirrored)
    if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    onStretch(wanted)
  }
  useWheel(host, stretch, onStretch)

  return (
    <div class="chart">
      <div
        ref={host}
        class="chart-host"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys zoom and pan
        tabIndex={0}
        role="application"
        aria-label={label}
        aria-describedby="chart-keys"
        onKeyDown={press}
        onDblClick={() => onStretch(zoomed(stretch, 2))}
        style={{ blockSize: `${heightFor(width)}px` }}
      />
      <MarkStrip marks={marks} stretch={stretch} box={box} mirrored={mirrored} zone={zone} />
      <p class="chart-keys quiet" id="chart-keys">
        {t('history.keys')}
      </p>
    </div>
  )
}

function wantedBy(key: string, stretch: Stretch, mirrored: boolean): Stretch | undefined {
  switch (key) {
    case '+':
    case '=':
      return zoomed(stretch, 1 / ZOOM)
    case '-':
      return zoomed(stretch, ZOOM)
    case 'ArrowLeft':
      return panned(stretch, mirrored ? PAN : -PAN)
    case 'ArrowRight':
      return panned(stretch, mirrored ? -PAN : PAN)
  }
  return undefined
}

interface Box {
  readonly left: number
  readonly width: number
}

/** The canvas in the host: made when its code has come, made anew when lines or looks are others, else renewed. */
function usePlot(host: { current: HTMLDivElement | null }, properties: ChartProps): Box | undefined {
  const { lines, looks, stretch, marks, zone, width, onCanvas } = properties
  const [box, setBox] = useState<Box>()
  const [code, setCode] = useState<typeof import('./plot')>()
  const current = useRef<{ plot: Plot; identity: string }>()
  const told = useRef(properties)
  told.current = properties
  const dark = useDark()

  useEffect(() => {
    void import('./plot').then(setCode)
    return () => {
      current.current?.plot.destroy()
      current.current = undefined
      told.current.onCanvas(undefined)
    }
  }, [])

  useEffect(() => {
    const element = host.current
    if (!code || !element || width === 0 || lines.length === 0) return
    const drawn = {
      lines,
      looks,
      stretch,
      zone,
      width,
      height: heightFor(width),
      moments: marks.map(each => each.atMs),
      mirrored: isMirrored(),
      inks: inks(),
    }
    const identity = code.identity(drawn)
    if (current.current?.identity === identity) {
      current.current.plot.renew(drawn)
      return
    }
    current.current?.plot.destroy()
    const plot = code.plot(element, drawn, {
      stretch: wanted => told.current.onStretch(wanted),
      moment: atMs => told.current.onMoment(atMs),
      box: (left, wide) =>
        setBox(before => (before?.left === left && before.width === wide ? before : { left, width: wide })),
    })
    current.current = { plot, identity }
    onCanvas(plot.canvas)
  }, [code, lines, looks, stretch, marks, zone, width, dark, host, onCanvas])
  return box
}

/** Moves when light becomes dark, by choice or by the system's. */
export function useDark(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)')
  const [system, setSystem] = useState(query.matches)
  useEffect(() => {
    const follow = () => setSystem(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [query])
  return theme.value === 'system' ? system : theme.value === 'dark'
}

/** With a key held, or sideways, the wheel is the chart's; else it is the page's. */
function useWheel(host: { current: HTMLDivElement | null }, stretch: Stretch, onStretch: (wanted: Stretch) => void) {
  const latest = useRef({ stretch, onStretch })
  latest.current = { stretch, onStretch }
  useEffect(() => {
    const element = host.current
    if (!element) return
    const turn = (event: WheelEvent) => {
      const { left, width } = element.getBoundingClientRect()
      const wanted = turned(event, latest.current.stretch, (event.clientX - left) / width, width)
      if (!wanted) return
      event.preventDefault()
      latest.current.onStretch(wanted)
    }
    element.addEventListener('wheel', turn, { passive: false })
    return () => element.removeEventListener('wheel', turn)
  }, [host])
}

function turned(event: WheelEvent, shown: Stretch, at: number, width: number): Stretch | undefined {
  const { deltaX, deltaY, shiftKey } = event
  if (event.ctrlKey || event.metaKey) return zoomed(shown, Math.exp(deltaY / 200), isMirrored() ? 1 - at : at)
  const sideways = shiftKey ? deltaX + deltaY : Math.abs(deltaX) > Math.abs(deltaY) ? deltaX : 0
  return sideways === 0 ? undefined : panned(shown, ((isMirrored() ? -1 : 1) * sideways) / width)
}
