import type uPlot from 'uplot'
import { number } from '../../format/numbers'
import { language, t } from '../../words/words'
import type { Look } from './looks'
import { SPANS } from './stretch'

const FONT_PX = 12
const GAP_PX = 6
const MINUTE_MS = 60_000

/** What a moment on the axis is called, by how far the next one is; midnight and the first one say the day as well. */
export function momentWords(splits: readonly number[], stepMs: number, zone: string): string[] {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language(), { ...options, timeZone: zone, hourCycle: 'h23' })
  if (stepMs >= 360 * SPANS.day) return splits.map(each => format({ year: 'numeric' }).format(each))
  if (stepMs >= 28 * SPANS.day) return splits.map(each => format({ month: 'short', year: '2-digit' }).format(each))
  const day = format({ day: 'numeric', month: 'short' })
  if (stepMs >= SPANS.day) return splits.map(each => day.format(each))
  const seconds = stepMs < MINUTE_MS ? ({ second: '2-digit' } as const) : {}
  const clock = format({ hour: '2-digit', minute: '2-digit', ...seconds })
  let said = ''
  return splits.map(each => {
    const name = day.format(each)
    const fresh = name !== said
    said = name
    return fresh ? `${clock.format(each)}\n${name}` : clock.format(each)
  })
}

export interface Ink {
  readonly text: string
  readonly quiet: string
  readonly line: string
  readonly font: string
}

export function timeAxis(zone: string, ink: Ink): uPlot.Axis {
  return {
    stroke: ink.quiet,
    font: `${FONT_PX}px ${ink.font}`,
    grid: { stroke: ink.line, width: 1 },
    ticks: { stroke: ink.line, width: 1, size: 6 },
    size: 46,
    space: 68,
    lineGap: 1.3,
    values: (_, splits, __, ___, stepMs) => momentWords(splits, stepMs, zone),
  }
}

/** One axis for each unit; the first where one begins to read, the next across. */
export function valueAxes(looks: readonly Look[], mirrored: boolean, narrow: boolean, ink: Ink): uPlot.Axis[] {
  const scales = [...new Set(looks.map(each => each.scale))]
  return scales.map((scale, index) => {
    const about = looks.filter(each => each.scale === scale)
    const first = about[0]
    // In the colour of its line, if it is of one alone.
    const stroke = about.length === 1 && scales.length > 1 ? (first?.colour ?? ink.quiet) : ink.quiet
    return {
      scale,
      side: (index % 2 === 0) === mirrored ? 1 : 3,
      stroke,
      font: `${FONT_PX}px ${ink.font}`,
      labelFont: `${FONT_PX}px ${ink.font}`,
      ...(first?.unit && !narrow ? { label: first.unit, labelSize: FONT_PX + 6, labelGap: 2 } : {}),
      grid: { show: index === 0, stroke: ink.line, width: 1 },
      ticks: { show: false },
      gap: GAP_PX,
      size: sizeOf,
      ...splitsOf(first),
    } satisfies uPlot.Axis
  })
}

/** Switches and words have a line for each of what they can be. */
function splitsOf(look: Look | undefined): Pick<uPlot.Axis, 'splits' | 'values'> {
  if (look?.kind === 'boolean') {
    return { splits: [0, 1], values: (_, splits) => splits.map(each => t(each ? 'common.on' : 'common.off')) }
  }
  if (look?.kind === 'text') {
    const { words } = look
    return { splits: words.map((_, index) => index), values: (_, splits) => splits.map(each => words[each] ?? '') }
  }
  return { values: (_, splits) => splits.map(each => number(each)) }
}

function sizeOf(chart: uPlot, values: string[], axis: number, cycle: number): number {
  const found = chart.axes[axis] as (uPlot.Axis & { _size?: number }) | undefined
  if (!found) return 0
  // After the second round its own size would change what it is made from.
  if (cycle > 1) return found._size ?? 0
  const longest = (values ?? []).reduce((most, each) => (each.length > most.length ? each : most), '')
  if (!longest) return GAP_PX
  chart.ctx.font = (found.font as unknown as [string])[0]
  return Math.ceil(chart.ctx.measureText(longest).width / devicePixelRatio) + 2 * GAP_PX
}

/** Room above and below what switches and words can be. */
export function rangeOf(look: Look): uPlot.Scale {
  if (look.kind === 'boolean') return { range: [-0.15, 1.15] }
  if (look.kind === 'text') return { range: [-0.5, Math.max(0.5, look.words.length - 0.5)] }
  return {}
}
