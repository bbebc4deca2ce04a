import { language, t } from '../words/words'

/** A number as people of the language write it. */
export function number(value: number, digits = 3): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value)
}

/**
 * A value of a device with the unit that its description gives: `125 g`. A unit is a symbol, which no language
 * translates; it is kept at its number, and left to right, by what surrounds it.
 */
export function withUnit(value: boolean | number | string | null | undefined, unit = ''): string {
  if (value === null || value === undefined) return t('common.unknown')
  if (typeof value === 'boolean') return t(value ? 'common.on' : 'common.off')
  const text = typeof value === 'number' ? number(value) : value
  // First-strong isolate … pop: the number and its unit stay together in a sentence that runs the other way.
  return unit ? `\u2068${text}\u00a0${unit}\u2069` : text
}
