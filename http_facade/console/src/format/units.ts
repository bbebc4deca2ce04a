/** Descriptions may name units by their codes in UCUM; people read these signs. */
const SIGNS: Readonly<Record<string, string>> = { Cel: '°C', '[pH]': 'pH', '[ppth]': '‰', 'g/(24.h)': 'g/d' }

export function unitSign(unit: string | null | undefined): string {
  return unit ? (SIGNS[unit] ?? unit) : ''
}
