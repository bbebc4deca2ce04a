import { expect, test } from 'vitest'
import { clustered, type Happening, leading, marksOf } from './marks'

function happening(name: string, second: number, part: Partial<Happening> = {}): Happening {
  const at = new Date(second * 1_000).toISOString()
  const about = { site: 's', device: 'd', source: 'agent' as const, detail: '', data: {}, received_at: at }
  return { id: name + second, name, at, active: null, severity: null, ...about, ...part }
}

test('events are told apart by what they are', () => {
  const events = [
    happening('lid-open', 2, { active: true, severity: 'warning' }),
    happening('changed-at-site', 1),
    happening('samples-lost', 3),
  ]
  expect(marksOf([], events).map(each => each.kind)).toEqual(['panel', 'alarm', 'event'])
})

test('marks that would lie on each other are one place, which looks like what matters most', () => {
  const events = [happening('samples-lost', 10), happening('changed-at-site', 12), happening('samples-lost', 30)]
  const places = clustered(marksOf([], events), 5_000)
  expect(places.map(each => [each.atMs, each.marks.length])).toEqual([
    [11_000, 2],
    [30_000, 1],
  ])
  expect(places.map(leading)).toEqual(['panel', 'event'])
})
