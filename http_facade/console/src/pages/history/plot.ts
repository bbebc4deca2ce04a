import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import { rangeOf, timeAxis, valueAxes } from './axes'
import { aligned, commonGaps, type Line } from './course'
import { followFingers } from './fingers'
import type { Inks, Look } from './looks'
import type { Stretch } from './stretch'

export interface Drawn {
  readonly lines: readonly Line[]
  readonly looks: readonly Look[]
  readonly stretch: Stretch
  /** Where on the axis something happened. */
  readonly moments: readonly number[]
  readonly zone: string
  /** Time runs from right to left, as the language does. */
  readonly mirrored: boolean
  readonly inks: Inks
  readonly width: number
  readonly height: number
}

export interface Told {
  /** Somebody wants to see this. */
  stretch: (wanted: Stretch) => void
  /** What is pointed at. */
  moment: (atMs: number | undefined) => void
  /** Where the lines are within the chart, in pixels from its left. */
  box: (left: number, width: number) => void
}

/** Narrower ones leave their axes without a name: the legend has the units too. */
export const NARROW_PX = 560

/** A chart on a canvas. What can be changed without making it anew, `renew` changes. */
export interface Plot {
  renew: (drawn: Drawn) => void
  destroy: () => void
  readonly canvas: HTMLCanvasElement
}

export function plot(element: HTMLElement, first: Drawn, told: Told): Plot {
  let drawn = first
  const chart = new uPlot(
    optionsOf(first, () => drawn, told),
    dataOf(first),
    element,
  )
  showStretch(chart, first.stretch)
  const release = followFingers(chart.over, () => drawn.mirrored, {
    stretch: () => drawn.stretch,
    moved: stretch => showStretch(chart, stretch),
    ended: told.stretch,
  })
  return {
    renew: next => {
      const { width, height } = drawn
      drawn = next
      if (next.width !== width || next.height !== height) chart.setSize({ width: next.width, height: next.height })
      chart.batch(() => {
        chart.setData(dataOf(next), false)
        showStretch(chart, next.stretch)
      })
    },
    destroy: () => {
      release()
      chart.destroy()
    },
    canvas: chart.ctx.canvas,
  }
}

/** What makes a chart another one. */
export function identity({ looks, lines, zone, mirrored, width, inks }: Drawn): string {
  return JSON.stringify([
    looks,
    lines.map(each => [each.steps, each.band === undefined]),
    zone,
    mirrored,
    width < NARROW_PX,
    inks,
  ])
}

function showStretch(chart: uPlot, { fromMs, toMs }: Stretch): void {
  chart.setScale('x', { min: fromMs, max: toMs })
}

function dataOf({ lines, stretch }: Drawn): uPlot.AlignedData {
  return aligned(lines, stretch.toMs) as uPlot.AlignedData
}

function optionsOf({ lines, looks, zone, mirrored, inks, width, height }: Drawn, now: () => Drawn, told: Told) {
  const series: uPlot.Series[] = [{}]
  const bands: uPlot.Band[] = []
  lines.forEach((line, index) => {
    const look = looks[index]
    if (!look) return
    series.push(seriesOf(line, look))
    if (!line.band) return
    series.push(edgeOf(line, look), edgeOf(line, look))
    bands.push({ series: [series.length - 1, series.length - 2], fill: `${look.colour}33` })
  })
  const options: uPlot.Options = {
    width,
    height,
    ms: 1,
    tzDate: moment => uPlot.tzDate(new Date(moment), zone),
    series,
    bands,
    padding: [12, 8, 0, 8],
    scales: {
      x: { time: true, dir: mirrored ? -1 : 1 },
      ...Object.fromEntries(looks.map(each => [each.scale, rangeOf(each)])),
    },
    axes: [timeAxis(zone, inks), ...valueAxes(looks, mirrored, width < NARROW_PX, inks)],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 8, width: 2 },
      // A double press shows more; the way back from a zoom by dragging.
      bind: { dblclick: () => () => null },
    },
    hooks: {
      setSelect: [chart => select(chart, told)],
      setCursor: [chart => told.moment(pointed(chart))],
      drawClear: [chart => shade(chart, commonGaps(now().lines), inks)],
      draw: [
        chart => {
          drawMoments(chart, now().moments, inks)
          told.box(chart.bbox.left / devicePixelRatio, chart.bbox.width / devicePixelRatio)
        },
      ],
    },
  }
  return options
}

function seriesOf(line: Line, { colour, dash, scale }: Look): uPlot.Series {
  const stepped = uPlot.paths.stepped?.({ align: 1 })
  return {
    scale,
    stroke: colour,
    width: 2,
    dash: [...dash],
    spanGaps: false,
    ...(line.steps && stepped ? { paths: stepped } : {}),
    points: { size: 5, fill: colour, stroke: colour, filter: lonely },
  }
}

/** A value between two gaps has no line; it is a point. */
function lonely(chart: uPlot, index: number, shown: boolean): number[] | null {
  if (shown) return null
  const values = chart.data[index] ?? []
  const places: number[] = []
  for (let place = 0; place < values.length; place += 1) if (values[place] !== undefined) places.push(place)
  const known = (place: number | undefined) => place !== undefined && values[place] !== null
  return places.filter((place, at) => known(place) && !known(places[at - 1]) && !known(places[at + 1]))
}

function edgeOf({ steps }: Line, { scale }: Look): uPlot.Series {
  const stepped = uPlot.paths.stepped?.({ align: 1 })
  return { scale, width: 0, points: { show: false }, ...(steps && stepped ? { paths: stepped } : {}) }
}

function select(chart: uPlot, told: Told): void {
  const { left, width } = chart.select
  if (width < 2) return
  const [one, other] = [chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x')]
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  told.stretch({ fromMs: Math.min(one, other), toMs: Math.max(one, other) })
}

function pointed(chart: uPlot): number | undefined {
  const { left } = chart.cursor
  return left === undefined || left < 0 ? undefined : chart.posToVal(left, 'x')
}

/** Hatched where nothing was read. */
function shade(chart: uPlot, gaps: readonly Stretch[], inks: Inks): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.beginPath()
  for (const { fromMs, toMs } of gaps) {
    const [one, other] = [chart.valToPos(fromMs, 'x', true), chart.valToPos(toMs, 'x', true)]
    const left = Math.max(Math.min(one, other), bbox.left)
    const right = Math.min(Math.max(one, other), bbox.left + bbox.width)
    if (right > left) ctx.rect(left, bbox.top, Math.max(right - left, 1), bbox.height)
  }
  ctx.clip()
  ctx.strokeStyle = inks.quiet
  ctx.globalAlpha = 0.35
  ctx.lineWidth = devicePixelRatio
  ctx.beginPath()
  if (gaps.length > 0) {
    const step = 8 * devicePixelRatio
    for (let at = bbox.left - bbox.height; at < bbox.left + bbox.width; at += step) {
      ctx.moveTo(at, bbox.top + bbox.height)
      ctx.lineTo(at + bbox.height, bbox.top)
    }
  }
  ctx.stroke()
  ctx.restore()
}

function drawMoments(chart: uPlot, moments: readonly number[], inks: Inks): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.strokeStyle = inks.quiet
  ctx.globalAlpha = 0.4
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.beginPath()
  for (const each of moments) {
    const at = Math.round(chart.valToPos(each, 'x', true)) + 0.5
    if (at < bbox.left || at > bbox.left + bbox.width) continue
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
  }
  ctx.stroke()
  ctx.restore()
}
