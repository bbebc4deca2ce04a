import './table.css'
import type { ComponentChildren } from 'preact'

export interface Column<R> {
  /** Of the column in this table. */
  readonly key: string
  readonly head: string
  readonly cell: (row: R) => ComponentChildren
  /** Numbers stand at the end, digit under digit. */
  readonly numeric?: boolean
}

export interface TableProps<R> {
  /** What the table is about; read out, not shown. */
  caption: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  keyOf: (row: R) => string
  /** Where there are no rows. */
  empty: ComponentChildren
}

/**
 * A table; on a phone each row is a block of named values. The roles are said outright, since browsers forget them where a
 * table is not laid out as one.
 */
export function Table<R>({ caption, columns, rows, keyOf, empty }: TableProps<R>) {
  if (rows.length === 0) return <div class="table-empty">{empty}</div>
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see above
    <table class="table" role="table">
      <caption class="unseen">{caption}</caption>
      {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
      <thead role="rowgroup">
        {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
        <tr role="row">
          {columns.map(({ key, head, numeric }) => (
            // biome-ignore lint/a11y/noRedundantRoles: see above
            <th key={key} role="columnheader" scope="col" class={numeric ? 'numeric' : undefined}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
      <tbody role="rowgroup">
        {rows.map(row => (
          // biome-ignore lint/a11y/noRedundantRoles: see above
          <tr key={keyOf(row)} role="row">
            {columns.map(({ key, head, cell, numeric }) => (
              // biome-ignore lint/a11y/noRedundantRoles: see above
              <td key={key} role="cell" data-head={head} class={numeric ? 'numeric' : undefined}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
