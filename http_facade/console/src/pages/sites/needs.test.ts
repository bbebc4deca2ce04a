import { beforeAll, expect, test } from 'vitest'
import type { Alarm } from '../../state/alarms'
import type { Fed } from '../../state/overview'
import type { KnownSite } from '../../state/sites'
import { speak } from '../../words/words'
import { badgeOf, needsOf, rankOf, toneOf } from './needs'

const site = { site: 'a', online: true, plcs: { 'plc-1': 'ok' } } as unknown as KnownSite
const alarm = (name: string, severity: Alarm['severity'], acknowledged: unknown = null) =>
  ({ site: 'a', device: 'd', name, severity, acknowledged }) as Alarm
const fed = { fed_g: 50, due_g: 100, planned_g: 200, asked_g: 0, shortfall_g: 50, unknown_g: 0 } as Fed
const kinds = (...given: Parameters<typeof needsOf>) => needsOf(...given).map(each => each.kind)

beforeAll(() => speak('en'))

test('a site that is well needs nobody and comes last', () => {
  expect(needsOf(site, [], null)).toEqual([])
  expect(rankOf([])).toBeGreaterThan(rankOf([{ kind: 'seen', count: 1 }]))
  expect(toneOf([])).toBe('ok')
})

test('a missed meal comes before everything else', () => {
  const alarms = [alarm('jam', 'critical'), alarm('hopper-low', 'warning'), alarm('meal-missed', 'critical')]
  const lost = { ...site, online: false, plcs: { 'plc-1': 'lost' as const } }
  expect(kinds(lost, alarms, fed)).toEqual(['missed', 'critical', 'silent', 'plc', 'warning', 'short'])
})

test('a critical alarm that somebody has taken note of is the least need, a warning none', () => {
  const seen = { by: 'dana', at: '', note: '' }
  expect(kinds(site, [alarm('jam', 'critical', seen), alarm('lid-open', 'warning', seen)], null)).toEqual(['seen'])
})

test('what nobody can tell is a need of its own, neither silent nor well', () => {
  expect(kinds(site, [], null, null)).toEqual(['unknown'])
  expect(badgeOf({ kind: 'unknown', count: 1 }, site)).toBe(null)
})

test('a meal under way is not short, a tenth of the day is', () => {
  expect(kinds(site, [], { ...fed, shortfall_g: 9 })).toEqual([])
  expect(kinds(site, [], { ...fed, shortfall_g: 11 })).toEqual(['short'])
  expect(kinds(site, [], { ...fed, shortfall_g: null })).toEqual([])
})

test('a lost PLC is named', () => {
  const lost = { ...site, plcs: { 'plc-1': 'ok', 'plc-2': 'lost' } } as KnownSite
  expect(badgeOf({ kind: 'plc', count: 1 }, lost)?.words).toContain('plc-2')
})
