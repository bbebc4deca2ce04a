/** The icon, drawn twice from the same numbers: as SVG for screens that can, as PNG for home screens that cannot. */
import { crc32, deflateSync } from 'node:zlib'

const TEAL = [11, 114, 133] as const
const FOAM = [230, 246, 247] as const
/** Height of the three waves' middle lines and their strength, in hundredths of the side. */
const WAVES = [42, 56, 70] as const
const AMPLITUDE = 4.5
const HALF_STROKE = 3.2
const LEFT = 24
const RIGHT = 76
/** The gate: a post on each side. */
const POST_TOP = 24

const heightAt = (x: number, middle: number) =>
  middle + AMPLITUDE * Math.sin(((x - LEFT) / (RIGHT - LEFT)) * 4 * Math.PI)

function isFoam(x: number, y: number): boolean {
  const post = (Math.abs(x - LEFT) < HALF_STROKE || Math.abs(x - RIGHT) < HALF_STROKE) && y > POST_TOP && y < 80
  const wave = x > LEFT && x < RIGHT && WAVES.some(middle => Math.abs(y - heightAt(x, middle)) < HALF_STROKE)
  return post || wave
}

/** As SVG text. */
export function svg(): string {
  const path = (middle: number) =>
    Array.from({ length: 53 }, (_, step) => {
      const x = LEFT + step
      return `${step ? 'L' : 'M'}${x} ${heightAt(x, middle).toFixed(1)}`
    }).join('')
  const posts = [LEFT, RIGHT].map(x => `M${x} ${POST_TOP}V80`).join('')
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" rx="22" ` +
    `fill="rgb(${TEAL})"/><path d="${posts}${WAVES.map(path).join('')}" fill="none" stroke="rgb(${FOAM})" ` +
    `stroke-width="${2 * HALF_STROKE}"/></svg>\n`
  )
}

/** As PNG (RFC 2083), square and full to the edges, for systems cut the corners themselves. */
export function png(side: number): Buffer {
  const fine = 3
  const rows = Buffer.alloc(side * (1 + side * 3))
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      let foam = 0
      for (let part = 0; part < fine * fine; part++) {
        const x = column + ((part % fine) + 0.5) / fine
        const y = row + (Math.floor(part / fine) + 0.5) / fine
        if (isFoam((x * 100) / side, (y * 100) / side)) foam += 1 / (fine * fine)
      }
      const at = row * (1 + side * 3) + 1 + column * 3
      for (const [channel, teal] of TEAL.entries()) {
        rows[at + channel] = Math.round(teal + ((FOAM[channel] ?? 0) - teal) * foam)
      }
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(content.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
