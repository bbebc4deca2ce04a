import { expect, test } from 'vitest'
import { aligned, type Course, commonGaps, gapAt, lineOf, placeAt } from './course'

function course(part: Partial<Course>): Course {
  const about = { site: 's', device: 'd', property: 'p', from: '1970-01-01T00:00:00Z', to: '1970-01-01T00:00:10Z' }
  return { ...about, every_s: 2, samples: null, buckets: null, ...part }
}

const SAMPLES = course({
  samples: {
    at_ms: [1_000, 2_000, 4_000, 6_000, 8_000],
    value: [1, 2, null, null, 3],
    quality: ['good', 'good', 'missing', 'bad', 'good'],
  },
})
const NUMBER = { type: 'number', readOnly: true } as const

test('samples stay as they are, and what was not read is a gap with its reason', () => {
  const line = lineOf(SAMPLES, NUMBER)
  expect(line.value).toEqual([1, 2, null, null, 3])
  expect(line.gaps).toEqual([
    { fromMs: 4_000, toMs: 6_000, reason: 'missing' },
    { fromMs: 6_000, toMs: 8_000, reason: 'bad' },
  ])
  expect(gapAt(line, 7_000)?.reason).toBe('bad')
  expect(placeAt(line, 7_000)).toBeUndefined()
  expect(placeAt(line, 3_000)).toBe(1)
})

test('a bucket in which nothing was read is a gap, and none lies beyond the end', () => {
  const buckets = {
    start_ms: 0,
    width_ms: 4_000,
    count: [2, 0, 1],
    least: [1, null, 5],
    mean: [1.5, null, 5],
    most: [2, null, 5],
    last: [2, null, 5],
  }
  const line = lineOf(course({ buckets }), NUMBER)
  expect(line.atMs).toEqual([2_000, 6_000, 10_000])
  expect(line.band).toEqual({ least: [1, null, 5], most: [2, null, 5] })
  expect(line.gaps).toEqual([{ fromMs: 4_000, toMs: 8_000, reason: 'missing' }])
})

test('settings, switches and words are held, numbers that are read are not', () => {
  const steps = (schema: Parameters<typeof lineOf>[1]) => lineOf(SAMPLES, schema).steps
  expect([
    steps(NUMBER),
    steps({ type: 'integer', readOnly: false }),
    steps({ type: 'boolean', readOnly: true }),
    steps({ type: 'string', readOnly: true }),
  ]).toEqual([false, true, true, true])
})

test('words are numbered, those of the description first', () => {
  const samples = { at_ms: [1, 2], value: ['run', 'odd'], quality: ['good' as const, 'good' as const] }
  const line = lineOf(course({ samples }), { type: 'string', enum: ['idle', 'run'] })
  expect([line.words, line.value]).toEqual([
    ['idle', 'run', 'odd'],
    [1, 2],
  ])
})

test('lines over the same moments: nothing is drawn through a gap, what is held ends where it begins', () => {
  const read = lineOf(SAMPLES, NUMBER)
  const samples = { at_ms: [1_500, 5_000], value: [true, null], quality: ['good' as const, 'missing' as const] }
  const held = lineOf(course({ samples }), { type: 'boolean' })
  expect(aligned([read, held], 10_000)).toEqual([
    [1_000, 1_500, 2_000, 4_000, 5_000, 6_000, 8_000],
    [1, undefined, 2, null, null, null, 3],
    [null, 1, 1, 1, null, null, null],
  ])
})

test('what is held now is held until the end of the stretch', () => {
  const samples = { at_ms: [1_000], value: [5], quality: ['good' as const] }
  expect(aligned([lineOf(course({ samples }), { type: 'integer', readOnly: false })], 10_000)).toEqual([
    [1_000, 10_000],
    [5, 5],
  ])
})

test('only where no line was read is shaded', () => {
  const other = { at_ms: [1_000, 5_000, 7_000], value: [1, null, 2], quality: ['good', 'stale', 'good'] as const }
  const lines = [
    lineOf(SAMPLES, NUMBER),
    lineOf(course({ samples: { ...other, quality: [...other.quality] } }), NUMBER),
  ]
  expect(commonGaps(lines)).toEqual([
    { fromMs: 5_000, toMs: 6_000 },
    { fromMs: 6_000, toMs: 7_000 },
  ])
})
