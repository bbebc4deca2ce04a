import { weight } from '../../format/weights'
import { isMirrored, language, t } from '../../words/words'
import { type Bar, barOf, ceiling, type Day } from './days'

const HEIGHT_PX = 300
const HEAD_PX = 10
const FOOT_PX = 44
const AXIS_PX = 62
/** The widest that a bar gets, so that a week does not look like a wall. */
const WIDEST_PX = 56
/** A day's name needs so much room. */
const NAME_PX = 46

/** A bar for each day against its plan. The table beside it says the same, so this is one picture. */
export function Bars({ days, width, label }: { days: readonly Day[]; width: number; label: string }) {
  const bars = days.map(barOf)
  const { most, step } = ceiling(bars)
  const room = HEIGHT_PX - HEAD_PX - FOOT_PX
  const y = (grams: number) => HEAD_PX + room * (1 - grams / most)
  const slot = (width - AXIS_PX) / Math.max(1, bars.length)
  const wide = Math.min(WIDEST_PX, Math.max(2, slot * 0.66))
  /** The left of something so wide in the middle of a day's slot. */
  const x = (index: number, of: number) => {
    const middle = AXIS_PX + slot * (index + 0.5)
    return (isMirrored() ? width - middle : middle) - of / 2
  }
  const named = Math.ceil(NAME_PX / slot)
  return (
    <svg class="bars" width={width} height={HEIGHT_PX} viewBox={`0 0 ${width} ${HEIGHT_PX}`} role="img">
      <title>{label}</title>
      <defs>
        <Hatch id="hatch-short" kind="short" />
        <Hatch id="hatch-unknown" kind="unknown" />
      </defs>
      {Array.from({ length: Math.round(most / step) + 1 }, (_, index) => index * step).map(grams => (
        <g key={grams} class="bars-line">
          <line
            x1={isMirrored() ? 0 : AXIS_PX}
            x2={isMirrored() ? width - AXIS_PX : width}
            y1={y(grams)}
            y2={y(grams)}
          />
          <text x={isMirrored() ? width - AXIS_PX + 8 : AXIS_PX - 8} y={y(grams) + 4} class="bars-grams">
            {weight(grams)}
          </text>
        </g>
      ))}
      {bars.map((bar, index) => (
        <g key={bar.date}>
          <title>{told(bar)}</title>
          <Column bar={bar} left={x(index, wide)} wide={wide} y={y} />
          {(bars.length - 1 - index) % named === 0 && (
            <text x={x(index, 0)} y={HEIGHT_PX - FOOT_PX + 18} class="bars-day">
              {dayName(bar.date)}
            </text>
          )}
        </g>
      ))}
    </svg>
  )
}

function Column({ bar, left, wide, y }: { bar: Bar; left: number; wide: number; y: (grams: number) => number }) {
  const { fed, byDoses, shortfall, unknown, planned } = bar
  const part = (kind: string, from: number, grams: number) =>
    grams > 0 && (
      <rect
        class={`bar bar-${kind}`}
        fill={hatched(kind)}
        x={left}
        width={wide}
        y={y(from + grams)}
        height={Math.max(1, y(from) - y(from + grams))}
      />
    )
  return (
    <>
      {planned !== null && planned > 0 && (
        <rect class="bar-plan" x={left - 3} width={wide + 6} y={y(planned)} height={y(0) - y(planned)} rx="2" />
      )}
      {fed === null ? (
        <text x={left + wide / 2} y={y(0) - 8} class="bars-unknown">
          ?
        </text>
      ) : (
        <>
          {part('meals', 0, fed - byDoses)}
          {part('doses', fed - byDoses, byDoses)}
          {part('short', fed, shortfall)}
        </>
      )}
      {part('unknown', (fed ?? 0) + shortfall, unknown)}
    </>
  )
}

/** What is missing is hatched; the rest has its colour from the style. */
export const hatched = (kind: string) => (kind === 'short' || kind === 'unknown' ? `url(#hatch-${kind})` : undefined)

/** Lines, so that a colour says nothing alone. */
function Hatch({ id, kind }: { id: string; kind: 'short' | 'unknown' }) {
  return (
    <pattern
      id={id}
      width="6"
      height="6"
      patternUnits="userSpaceOnUse"
      patternTransform={kind === 'short' ? 'rotate(45)' : 'rotate(-45)'}
    >
      <rect class={`hatch-ground-${kind}`} width="6" height="6" />
      <line class={`hatch-line-${kind}`} x1="0" x2="0" y1="0" y2="6" />
    </pattern>
  )
}

export function dayName(date: string, long = false): string {
  const weekday = long ? ({ weekday: 'short' } as const) : {}
  const options: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', timeZone: 'UTC', ...weekday }
  return new Intl.DateTimeFormat(language(), options).format(new Date(`${date}T12:00:00Z`))
}

function told({ date, fed, planned, shortfall, unknown }: Bar): string {
  const words = [
    `${t('feed.fed_g')}: ${weight(fed)}`,
    `${t('feed.planned_g')}: ${weight(planned)}`,
    ...(shortfall > 0 ? [`${t('feed.shortfall_g')}: ${weight(shortfall)}`] : []),
    ...(unknown > 0 ? [`${t('feed.unknown_g')}: ${weight(unknown)}`] : []),
  ]
  return `${dayName(date, true)} – ${words.join(', ')}`
}
