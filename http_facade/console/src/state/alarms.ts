import { computed, effect, signal } from '@preact/signals'
import { read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import type { components } from '../api/schema'
import { epoch, onTold } from './connection'
import { session } from './session'

export type Alarm = components['schemas']['Alarm']

const active = signal<ReadonlyMap<string, Alarm> | undefined>(undefined)
export const alarmsProblem = signal<Problem | undefined>(undefined)

/** Critical ones first, then the oldest; undefined until they were read once. */
export const alarms = computed<readonly Alarm[] | undefined>(() =>
  active.value === undefined ? undefined : [...active.value.values()].sort(byUrgency),
)

const SEVERITIES: readonly Alarm['severity'][] = ['critical', 'warning']
function byUrgency(one: Alarm, other: Alarm): number {
  return (
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
    Date.parse(one.since) - Date.parse(other.since)
  )
}

const keyOf = (alarm: Alarm) => `${alarm.site}/${alarm.device}/${alarm.name}/${alarm.source}`

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
