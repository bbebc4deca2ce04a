import { withUnit } from '../../format/numbers'
import { dateTime } from '../../format/times'
import { t } from '../../words/words'
import { gapAt, type Line, placeAt } from './course'
import type { Look } from './looks'

/** Each line with its stroke and its value: where somebody points, else the last one that is known. */
export function Legend({
  lines,
  looks,
  atMs,
  zone,
}: {
  lines: readonly Line[]
  looks: readonly Look[]
  atMs: number | undefined
  zone: string
}) {
  return (
    <div class="legend">
      <p class="digits quiet">{atMs === undefined ? t('history.latest') : dateTime(atMs, zone)}</p>
      <ul class="legend-lines" aria-label={t('history.legend')}>
        {lines.map((line, index) => {
          const look = looks[index]
          return (
            look && (
              <li key={line.property}>
                <svg class="legend-stroke" width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">
                  <line x1="1" x2="27" y1="6" y2="6" stroke={look.colour} stroke-dasharray={look.dash.join(' ')} />
                </svg>
                <span>{look.title}</span>
                <strong class="digits">{valueAt(line, look, atMs)}</strong>
              </li>
            )
          )
        })}
        <li class="quiet">
          <span class="legend-gap" aria-hidden="true" />
          {t('history.gap')}
        </li>
      </ul>
    </div>
  )
}

function valueAt(line: Line, look: Look, atMs: number | undefined): string {
  const gap = gapAt(line, atMs ?? (line.atMs.at(-1) ?? 0) + (line.widthMs ?? 0) / 2)
  if (gap) return t(`history.${gap.reason}`)
  const place = atMs === undefined ? line.atMs.length - 1 : placeAt(line, atMs)
  return place === undefined || place < 0 ? t('common.unknown') : wordsAt(line, look, place)
}

/** The value at a place of a line; of a bucket of numbers its mean, with its least and most. */
export function wordsAt(line: Line, look: Look, place: number): string {
  const value = line.value[place]
  if (value === null || value === undefined) return t('common.unknown')
  if (line.kind === 'text') return line.words[value] ?? t('common.unknown')
  if (line.kind === 'boolean') return t(value >= 0.5 ? 'common.on' : 'common.off')
  const [least, most] = [line.band?.least[place] ?? value, line.band?.most[place] ?? value]
  const mean = withUnit(value, look.unit)
  return least === most ? mean : `${mean} (${withUnit(least)} – ${withUnit(most)})`
}
