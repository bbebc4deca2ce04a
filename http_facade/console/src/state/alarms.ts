import { computed, effect, signal } from '@preact/signals'
import { read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import type { components } from '../api/schema'
import { epoch, onTold } from './connection'
import { session } from './session'

export type Alarm = components['schemas']['Alarm']

const active = signal<ReadonlyMap<string, Alarm> | undefined>(undefined)
export const alarmsProblem = signal<Problem | undefined>(undefined)

/** Those that need somebody most first; undefined until they were read once. */
export const alarms = computed<readonly Alarm[] | undefined>(() =>
  active.value === undefined ? undefined : [...active.value.values()].sort(byUrgency),
)

/** Critical alarms that nobody has taken note of yet: what the badge counts and the sound is for. */
export const urgent = computed<readonly Alarm[]>(
  () => alarms.value?.filter(each => each.severity === 'critical' && !each.acknowledged) ?? [],
)

/** By site, in the same order. */
export const alarmsBySite = computed<ReadonlyMap<string, readonly Alarm[]> | undefined>(() => {
  if (alarms.value === undefined) return undefined
  const found = new Map<string, Alarm[]>()
  for (const each of alarms.value) {
    const others = found.get(each.site)
    if (others) others.push(each)
    else found.set(each.site, [each])
  }
  return found
})

const MISSED_MEAL = 'meal-missed'
export const isMissedMeal = (alarm: Pick<Alarm, 'name'>) => alarm.name === MISSED_MEAL

/** Critical before others, what nobody has taken note of before the rest, fish that were not fed first, then the oldest. */
export function byUrgency(one: Alarm, other: Alarm): number {
  return rank(one) - rank(other) || Date.parse(one.since) - Date.parse(other.since)
}
const rank = (alarm: Alarm) =>
  (alarm.severity === 'critical' ? 0 : 4) + (alarm.acknowledged ? 2 : 0) + (isMissedMeal(alarm) ? 0 : 1)

/** An alarm among all. */
export const keyOf = (alarm: Alarm) => `${alarm.site}/${alarm.device}/${alarm.name}/${alarm.source}`
/** One activation of it: raised anew it is another. */
export const activationOf = (alarm: Alarm) => `${keyOf(alarm)}/${alarm.since}`

/** Take over what an answer to a change told, unless the alarm is over or was raised anew meanwhile. */
export function learnAlarm(told: Alarm): void {
  const known = active.value?.get(keyOf(told))
  if (known?.since === told.since) active.value = new Map(active.value).set(keyOf(told), told)
}

export async function readAlarms(): Promise<void> {
  try {
    const { body } = await read('/v1/alarms', { query: { limit: 10_000 } })
    active.value = new Map(body.items.map(each => [keyOf(each), each]))
    alarmsProblem.value = undefined
  } catch (error) {
    alarmsProblem.value = asProblem(error)
  }
}

onTold('alarm', told => {
  if (active.value === undefined) return
  if ('gone' in told) {
    void readAlarms()
    return
  }
  const { active: raised, ...alarm } = told
  const next = new Map(active.value)
  if (raised) next.set(keyOf(alarm), alarm)
  else next.delete(keyOf(alarm))
  active.value = next
})

effect(() => {
  epoch.value
  if (session.value) void readAlarms()
  else active.value = undefined
})
