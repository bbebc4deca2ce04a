/** Moments as clocks of a zone show them, and back: what fields for day and time hold. */

const made = new Map<string, Intl.DateTimeFormat>()

function clockOf(zone: string): Intl.DateTimeFormat {
  let found = made.get(zone)
  if (!found) {
    found = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    made.set(zone, found)
  }
  return found
}

/** What the zone's clocks show, as if it were UTC, in milliseconds since 1970. */
function shownMs(momentMs: number, zone: string): number {
  const parts = Object.fromEntries(
    clockOf(zone)
      .formatToParts(momentMs)
      .map(each => [each.type, Number(each.value)]),
  )
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((momentMs % 1_000) + 1_000) % 1_000)
}

/** `2026-11-27T14:05`, as `<input type="datetime-local">` has it. */
export function wallTime(momentMs: number, zone: string): string {
  return new Date(shownMs(momentMs, zone)).toISOString().slice(0, 16)
}

/** `2026-11-27`. */
export function dateIn(momentMs: number, zone: string): string {
  return wallTime(momentMs, zone).slice(0, 10)
}

/**
 * The moment at which the zone's clocks show this; undefined if it is no time. What they show twice means the first
 * time; what they skip in spring means as long after the change as it lies beyond it.
 */
export function momentOf(wall: string, zone: string): number | undefined {
  const asUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(wall) ? Date.parse(`${wall.slice(0, 16)}Z`) : Number.NaN
  if (Number.isNaN(asUtc)) return undefined
  const offsets = [-86_400_000, 86_400_000].map(away => shownMs(asUtc + away, zone) - (asUtc + away))
  const candidates = offsets.map(offset => asUtc - offset)
  const exact = candidates.filter(each => shownMs(each, zone) === asUtc)
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates)
}

/** The day that lies so many days after another, both as dates. */
export function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** `GMT+2`: what the zone is called at that moment; a zone's name alone does not say whether it is summer. */
export function zoneSign(momentMs: number, zone: string, language: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: 'short' }).formatToParts(momentMs)
  return parts.find(each => each.type === 'timeZoneName')?.value ?? zone
}
