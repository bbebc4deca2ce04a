import { expect, test } from 'vitest'
import { type Alarm, activationOf, byUrgency } from './alarms'
import { news } from './raised'

const alarm = (name: string, more: Partial<Alarm> = {}) =>
  ({
    site: 's',
    device: 'd',
    name,
    source: 'agent',
    severity: 'critical',
    since: '2026-11-27T12:00:00Z',
    acknowledged: null,
    ...more,
  }) as Alarm
const seen = { acknowledged: { by: 'dana', at: '', note: '' } }

test('what nobody has seen to comes first, missed meals before the rest, then the oldest', () => {
  const warning = alarm('lid-open', { severity: 'warning' })
  const jam = alarm('jam')
  const older = alarm('motor-fault', { since: '2026-11-27T11:00:00Z' })
  const missed = alarm('meal-missed', { since: '2026-11-27T13:00:00Z' })
  const done = alarm('meal-missed', seen)
  expect([warning, done, jam, older, missed].sort(byUrgency)).toEqual([missed, older, jam, done, warning])
})

test('the first look is no news, a new activation of the same alarm is', () => {
  const jam = alarm('jam')
  expect(news(undefined, [jam])).toEqual([])
  const known = new Set([activationOf(jam)])
  expect(news(known, [{ ...jam, ...seen }])).toEqual([])
  const again = { ...jam, since: '2026-11-27T12:30:00Z' }
  expect(news(known, [again])).toEqual([again])
})
