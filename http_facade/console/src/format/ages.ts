import { language, t } from '../words/words'

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
]

/** `12 seconds ago`, counted from `nowMs`, which must be the facade's time; what seems to lie ahead is just now. */
export function age(moment: string | number, nowMs: number): string {
  const elapsedMs = nowMs - new Date(moment).getTime()
  const [unit, lengthMs] = STEPS.find(([, length]) => elapsedMs >= length) ?? ['second', 1_000]
  if (elapsedMs < 1_000) return t('common.justNow')
  return new Intl.RelativeTimeFormat(language(), { numeric: 'always' }).format(-Math.floor(elapsedMs / lengthMs), unit)
}

/** `2 h 5 min`, of a stretch of time. */
export function duration(lengthS: number): string {
  const parts: string[] = []
  let restS = Math.max(0, Math.round(lengthS))
  for (const [unit, lengthMs] of STEPS) {
    const count = Math.floor(restS / (lengthMs / 1_000))
    restS -= count * (lengthMs / 1_000)
    if (count > 0 || (unit === 'second' && parts.length === 0)) parts.push(withUnit(count, unit))
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

function withUnit(count: number, unit: string): string {
  return new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short' }).format(count)
}
