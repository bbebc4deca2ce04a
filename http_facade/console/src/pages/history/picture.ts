import type { Inks, Look } from './looks'

export interface Caption {
  readonly title: string
  /** From when to when, in which zone. */
  readonly range: string
  readonly looks: readonly Look[]
}

const EDGE_PX = 16
const HEAD_PX = 76

/** The chart with its title, its range and what its lines are, as a PNG in the resolution of the screen. */
export function picture(chart: HTMLCanvasElement, { title, range, looks }: Caption, inks: Inks): Promise<Blob> {
  const scale = devicePixelRatio
  const canvas = document.createElement('canvas')
  canvas.width = chart.width + 2 * EDGE_PX * scale
  canvas.height = chart.height + (HEAD_PX + EDGE_PX) * scale
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('this browser draws nothing')
  pen.fillStyle = inks.surface
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.drawImage(chart, EDGE_PX * scale, HEAD_PX * scale)
  pen.scale(scale, scale)
  const mirrored = document.documentElement.dir === 'rtl'
  const width = canvas.width / scale
  pen.direction = mirrored ? 'rtl' : 'ltr'
  pen.textAlign = 'start'
  const start = mirrored ? width - EDGE_PX : EDGE_PX
  pen.fillStyle = inks.text
  pen.font = `600 16px ${inks.font}`
  pen.fillText(title, start, 26, width - 2 * EDGE_PX)
  pen.fillStyle = inks.quiet
  pen.font = `12px ${inks.font}`
  pen.fillText(range, start, 45, width - 2 * EDGE_PX)
  drawLooks(pen, looks, inks, start, mirrored ? -1 : 1)
  return new Promise((resolve, reject) =>
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('no picture came of it'))), 'image/png'),
  )
}

function drawLooks(
  pen: CanvasRenderingContext2D,
  looks: readonly Look[],
  inks: Inks,
  start: number,
  direction: number,
): void {
  let at = start
  for (const { title, unit, colour, dash } of looks) {
    pen.strokeStyle = colour
    pen.lineWidth = 2
    pen.setLineDash([...dash])
    pen.beginPath()
    pen.moveTo(at, 61)
    pen.lineTo(at + 24 * direction, 61)
    pen.stroke()
    at += 30 * direction
    const words = unit ? `${title} (${unit})` : title
    pen.fillStyle = inks.text
    pen.fillText(words, at, 65)
    at += (pen.measureText(words).width + 18) * direction
  }
}
