import { useState } from 'preact/hooks'
import { clockTime, dateTime } from '../../format/times'
import { Icon } from '../../parts/icons'
import { t } from '../../words/words'
import { MARK_ICONS, MarkList } from './MarkList'
import { type Cluster, clustered, leading, MARK_KINDS, type Mark } from './marks'
import { type Stretch, spanOf } from './stretch'

/** As wide as a place is; a finger needs no less. */
const PLACE_PX = 28

export interface MarkStripProps {
  marks: readonly Mark[]
  stretch: Stretch
  /** Where the lines are, in pixels from the left of the chart. */
  box: { left: number; width: number } | undefined
  mirrored: boolean
  zone: string
}

/** What happened, on the axis of time; the arrow keys go from one to the next, and what is chosen is told below. */
export function MarkStrip({ marks, stretch, box, mirrored, zone }: MarkStripProps) {
  const [chosen, setChosen] = useState<string>()
  if (!box || marks.length === 0) return null
  const places = clustered(inside(marks, stretch), (spanOf(stretch) * PLACE_PX) / box.width)
  const open = places.find(each => each.marks.some(mark => mark.id === chosen))
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: mirrored ? -1 : 1, ArrowLeft: mirrored ? 1 : -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const here = event.target as HTMLElement
    const next = by > 0 ? here.nextElementSibling : here.previousElementSibling
    if (next instanceof HTMLElement) next.focus()
  }
  return (
    <div class="marks">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out its places */}
      <div class="marks-axis" role="group" aria-label={t('history.marks')} onKeyDown={move}>
        {places.map((place, index) => {
          const share = (place.atMs - stretch.fromMs) / spanOf(stretch)
          const left = box.left + (mirrored ? 1 - share : share) * box.width
          const isOpen = place === open
          return (
            <button
              key={place.marks[0]?.id}
              type="button"
              class={`mark-place mark-${leading(place)}`}
              style={{ left: `${left}px` }}
              tabIndex={isOpen || (!open && index === 0) ? 0 : -1}
              aria-pressed={isOpen}
              aria-label={named(place, zone)}
              title={named(place, zone)}
              onClick={() => setChosen(place.marks[0]?.id)}
              onFocus={event => {
                if (event.currentTarget.matches(':focus-visible')) setChosen(place.marks[0]?.id)
              }}
              onMouseEnter={() => setChosen(place.marks[0]?.id)}
            >
              <Icon name={MARK_ICONS[leading(place)]} size={16} />
              {place.marks.length > 1 && <span class="mark-count digits">{place.marks.length}</span>}
            </button>
          )
        })}
      </div>
      <div class="marks-told" aria-live="polite">
        {open ? <MarkList marks={open.marks} zone={zone} /> : <p class="quiet">{t('history.marksHint')}</p>}
      </div>
      <ul class="marks-legend quiet" aria-label={t('history.legend')}>
        {MARK_KINDS.filter(kind => marks.some(each => each.kind === kind)).map(kind => (
          <li key={kind} class={`mark-${kind}`}>
            <Icon name={MARK_ICONS[kind]} size={16} />
            {t(`history.${kind}`)}
          </li>
        ))}
      </ul>
    </div>
  )
}

const inside = (marks: readonly Mark[], { fromMs, toMs }: Stretch) =>
  marks.filter(each => each.atMs >= fromMs && each.atMs <= toMs)

function named({ marks, atMs }: Cluster, zone: string): string {
  const [first] = marks
  if (!first) return ''
  if (marks.length === 1) return `${t(`history.${first.kind}`)}, ${dateTime(atMs, zone)}`
  const last = marks.at(-1) ?? first
  return `${t('history.several', { count: marks.length })}, ${dateTime(first.atMs, zone)} – ${clockTime(last.atMs, zone)}`
}
