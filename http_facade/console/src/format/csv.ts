/** With one of these a spreadsheet takes a text for a formula, and runs what somebody has written elsewhere. */
const FORMULA = /^[=+\-@\t\r]/

type Cell = string | number | boolean | null

/** Rows as CSV (RFC 4180), as the facade writes it: nothing for null, and no text that a spreadsheet would run. */
export function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map(row => `${row.map(written).join(',')}\r\n`).join('')
}

function written(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
