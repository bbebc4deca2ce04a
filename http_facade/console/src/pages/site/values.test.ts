import { beforeAll, expect, test } from 'vitest'
import type { Description } from '../../state/description'
import type { Device } from '../../state/devices'
import { speak } from '../../words/words'
import { drifts, shownFlags, shownValues, trust } from './values'

const device = {
  quality: 'good',
  cause: '',
  settings: { portion_g: 120, enabled: false },
  readings: { water_c: 18.5, jam: true, lid_open: false },
  desired: { portion_g: { value: 150, state: 'applied', command: 'c' } },
  drift: ['portion_g'],
} as unknown as Device
const description = {
  title: 'Feeder',
  properties: { portion_g: { type: 'integer', title: 'Portion', unit: 'g' }, water_c: { type: 'number', unit: 'Cel' } },
} as Description

beforeAll(() => speak('en'))

test('values have titles and units, and without a description their names', () => {
  const plain = shownValues(device, description).map(
    ({ title, text }) => `${title} ${text.replace(/[\u2068\u2069]/g, '')}`,
  )
  expect(plain).toEqual(['water_c 18.5\u00a0°C', 'Portion 120\u00a0g', 'enabled Off'])
  expect(shownValues(device, undefined)[1]).toMatchObject({ title: 'portion_g', text: '120' })
})

test('of yes and no only what is on is said', () => {
  expect(shownFlags(device, description).map(each => each.name)).toEqual(['jam'])
})

test('a drift names what the PLC holds and what was asked for', () => {
  expect(drifts(device, description)[0]?.replace(/[\u2068\u2069]/g, '')).toBe(
    'Portion: 120\u00a0g, asked for 150\u00a0g',
  )
})

test('values of a silent site are stale whatever its last word was, and say why', () => {
  expect(trust(device, true)).toMatchObject({ tone: 'ok', cause: '' })
  expect(trust(device, false)).toMatchObject({ tone: 'warning', cause: expect.stringContaining('silent') })
  expect(trust(device, null)).toMatchObject({ tone: 'unknown', cause: expect.stringContaining('Nobody can tell') })
})

test('a quality that is not good brings the site’s own cause', () => {
  const lost = { ...device, quality: 'stale', cause: 'plc-1 is lost' } as Device
  expect(trust(lost, true)).toMatchObject({ tone: 'warning', cause: 'plc-1 is lost' })
  expect(trust({ ...device, quality: 'bad', cause: 'no such register' } as Device, true).tone).toBe('critical')
  expect(trust({ ...device, quality: null }, true).words).toBe('No values')
})
