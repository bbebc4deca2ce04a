import { language } from '../words/words'

/** This machine's zone: what times are shown in unless a site has told its own. */
export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone
type Moment = string | number | Date

const made = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language()} ${zone} ${JSON.stringify(options)}`
  let found = made.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(language(), { ...options, timeZone: zone })
    made.set(key, found)
  }
  return found
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
const DAY = { year: 'numeric', month: 'short', day: 'numeric' } as const

/** `14:05:09`. */
export function clockTime(moment: Moment, zone = HERE): string {
  return formatter(zone, CLOCK).format(new Date(moment))
}

/** `27 Nov 2026`. */
export function day(moment: Moment, zone = HERE): string {
  return formatter(zone, DAY).format(new Date(moment))
}

/** Day, time and the zone's name, for whatever may be read somewhere else than where it happened. */
export function dateTime(moment: Moment, zone = HERE): string {
  return formatter(zone, { ...DAY, ...CLOCK, timeZoneName: 'short' }).format(new Date(moment))
}

/** The time alone if that was today, else with its day; the zone is shown where it is not this machine's. */
export function shortTime(moment: Moment, nowMs: number, zone = HERE): string {
  const sameDay = day(moment, zone) === day(nowMs, zone)
  const name = zone === HERE ? {} : ({ timeZoneName: 'short' } as const)
  return formatter(zone, sameDay ? { ...CLOCK, ...name } : { ...DAY, ...CLOCK, ...name }).format(new Date(moment))
}

/** `07:30`, the minute of a day as time fields hold it. */
export function clockOf(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map(each => String(each).padStart(2, '0')).join(':')
}

/** From when to when, each part said once, with the zone. */
export function stretch(from: Moment, to: Moment, zone = HERE): string {
  return formatter(zone, { ...DAY, ...CLOCK, timeZoneName: 'short' }).formatRange(new Date(from), new Date(to))
}
