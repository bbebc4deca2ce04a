import { number } from './numbers'

/** Food: `850 g`, `12.5 kg`; as one word that keeps its direction in a sentence of another. */
export function grams(amount: number): string {
  const [value, unit] = Math.abs(amount) < 1_000 ? [number(amount, 0), 'g'] : [number(amount / 1_000, 1), 'kg']
  return `\u2068${value}\u00a0${unit}\u2069`
}
