import { useState } from 'preact/hooks'
import { dateTime } from '../../format/times'
import { Button } from '../../parts/Button'
import { type Column, Table } from '../../parts/Table'
import { t } from '../../words/words'
import type { Line } from './course'
import { wordsAt } from './Legend'
import type { Look } from './looks'

const AT_ONCE = 50

interface Row {
  readonly atMs: number
  /** Of each line its place there; undefined where it has none. */
  readonly places: readonly (number | undefined)[]
}

/** The same as the chart, in words: every sample or bucket that is drawn, the newest first. */
export function CourseTable({ lines, looks, zone }: { lines: readonly Line[]; looks: readonly Look[]; zone: string }) {
  const [open, setOpen] = useState(false)
  const [shown, setShown] = useState(AT_ONCE)
  return (
    <details class="course-table" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{t('history.asTable')}</summary>
      {open && <Rows lines={lines} looks={looks} zone={zone} shown={shown} />}
      {open && rowsOf(lines).length > shown && (
        <Button onClick={() => setShown(shown + 4 * AT_ONCE)}>{t('common.more')}</Button>
      )}
    </details>
  )
}

function Rows({
  lines,
  looks,
  zone,
  shown,
}: {
  lines: readonly Line[]
  looks: readonly Look[]
  zone: string
  shown: number
}) {
  const columns: Column<Row>[] = [
    { key: 'at', head: t('history.time'), cell: row => <span class="digits">{dateTime(row.atMs, zone)}</span> },
    ...lines.flatMap((line, index) => {
      const look = looks[index]
      if (!look) return []
      const cell = (row: Row) => cellOf(line, look, row.places[index])
      return [{ key: line.property, head: look.title, numeric: line.kind === 'number', cell }]
    }),
  ]
  return (
    <Table
      caption={t('history.asTable')}
      columns={columns}
      rows={rowsOf(lines).slice(0, shown)}
      keyOf={row => String(row.atMs)}
      empty={t('history.nothing')}
    />
  )
}

function cellOf(line: Line, look: Look, place: number | undefined): string {
  if (place === undefined) return ''
  if (line.value[place] !== null) return wordsAt(line, look, place)
  const at = line.atMs[place] ?? 0
  const gap = line.gaps.find(each => each.fromMs <= at && at < each.toMs)
  return gap ? t(`history.${gap.reason}`) : t('common.unknown')
}

function rowsOf(lines: readonly Line[]): Row[] {
  const found = new Map<number, (number | undefined)[]>()
  lines.forEach((line, index) => {
    line.atMs.forEach((at, place) => {
      const row = found.get(at) ?? lines.map(() => undefined)
      row[index] = place
      found.set(at, row)
    })
  })
  return [...found].map(([atMs, places]) => ({ atMs, places })).sort((one, other) => other.atMs - one.atMs)
}
