import { useRef } from 'preact/hooks'
import { withUnit } from '../../format/numbers'
import { clockOf } from '../../format/times'
import { now } from '../../state/clock'
import { t } from '../../words/words'
import { DAY_MIN, levels, type Meal, minuteNow, moved } from './meals'

/** A pointer is not so sure as a key. */
const POINTER_STEP_MIN = 5
/** Labels nearer than this would touch on a phone. */
const APART_MIN = 260
const HOURS = [0, 6, 12, 18, 24]

export interface MealStripProps {
  meals: readonly Meal[]
  zone: string
  disabled: boolean
  /** Undefined for those who only look. */
  onMove: ((meal: Meal, minute: number) => void) | undefined
}

/** The day from midnight to midnight where the feeder is: a mark for each meal, to be moved, and where in it we are. */
export function MealStrip({ meals, zone, disabled, onMove }: MealStripProps) {
  const band = useRef<HTMLDivElement>(null)
  const here = minuteNow(now.value, zone)
  const placed = meals.filter(each => each.minute !== undefined)
  const onLevel = levels(
    placed.map(each => each.minute ?? 0),
    APART_MIN,
  )

  const minuteAt = (event: PointerEvent) => {
    const box = band.current?.getBoundingClientRect()
    if (!box) return undefined
    const share = (event.clientX - box.left) / box.width
    return moved((document.documentElement.dir === 'rtl' ? 1 - share : share) * DAY_MIN, 0, POINTER_STEP_MIN)
  }

  return (
    <div
      class={disabled ? 'strip strip-still' : 'strip'}
      style={{ '--levels': Math.max(1, ...onLevel.map(each => each + 1)) }}
    >
      <div class="strip-band" ref={band}>
        {HOURS.map(hour => (
          <span key={hour} class="strip-hour digits" style={{ '--at': hour / 24 }} aria-hidden="true">
            {hour}
          </span>
        ))}
        {here !== undefined && (
          <span
            class="strip-now"
            style={{ '--at': here / DAY_MIN }}
            title={t('device.nowAt', { time: clockOf(here), zone })}
          />
        )}
        {placed.map((meal, index) => (
          <Mark
            key={meal.slot}
            meal={meal}
            level={onLevel[index] ?? 0}
            disabled={disabled}
            onMove={onMove && (minute => onMove(meal, minute))}
            minuteAt={minuteAt}
          />
        ))}
      </div>
      <p class="strip-zone quiet digits">
        {here === undefined ? zone : t('device.nowAt', { time: clockOf(here), zone })}
      </p>
    </div>
  )
}

interface MarkProps {
  meal: Meal
  level: number
  disabled: boolean
  onMove: ((minute: number) => void) | undefined
  minuteAt: (event: PointerEvent) => number | undefined
}

function Mark({ meal, level, disabled, onMove, minuteAt }: MarkProps) {
  const { minute = 0, grams, slot } = meal
  const amount = grams === undefined ? t('common.unknown') : grams === 0 ? t('device.noMeal') : withUnit(grams, 'g')
  const words = `${clockOf(minute)}, ${amount}`
  const place = {
    class: grams === 0 ? 'mark-meal mark-none' : 'mark-meal',
    style: { '--at': minute / DAY_MIN, '--level': level },
  }
  const label = (
    <span class="mark-label digits" aria-hidden="true">
      <strong>{clockOf(minute)}</strong>
      <span>{amount}</span>
    </span>
  )
  const name = t('device.meal', { slot })
  if (!onMove) {
    return (
      <div {...place} role="img" aria-label={`${name}: ${words}`}>
        {label}
      </div>
    )
  }
  return (
    <div
      {...place}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={DAY_MIN - 1}
      aria-valuenow={minute}
      aria-valuetext={words}
      aria-disabled={disabled || undefined}
      onKeyDown={event => {
        const next = disabled ? undefined : keyed(event, minute)
        if (next === undefined) return
        event.preventDefault()
        onMove(next)
      }}
      onPointerDown={event => {
        if (!disabled && event.button === 0) event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={event => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
        const next = minuteAt(event)
        if (next !== undefined && next !== minute) onMove(next)
      }}
    >
      {label}
    </div>
  )
}

/** Where a key takes a meal: a minute by arrows, a quarter with shift, an hour by page keys, the day's ends. */
export function keyed(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>, minute: number): number | undefined {
  const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
  const backward = document.documentElement.dir === 'rtl' ? 'ArrowRight' : 'ArrowLeft'
  const stepMin = event.shiftKey ? 15 : 1
  switch (event.key) {
    case forward:
    case 'ArrowUp':
      return moved(minute, stepMin)
    case backward:
    case 'ArrowDown':
      return moved(minute, -stepMin)
    case 'PageUp':
      return moved(minute, 60)
    case 'PageDown':
      return moved(minute, -60)
    case 'Home':
      return 0
    case 'End':
      return DAY_MIN - 1
    default:
      return undefined
  }
}
