import { cleanup, fireEvent, render, screen } from '@testing-library/preact'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Description } from '../../state/description'
import type { Device } from '../../state/devices'
import { session } from '../../state/session'
import { speak } from '../../words/words'
import { common, found } from './choice'
import type { GroupInFull } from './GroupBadge'
import { Running } from './Running'
import { keepToken } from './tokens'

const FEEDER: Description = {
  title: 'Feeder',
  properties: {
    portion_g: { type: 'integer', title: 'Portion', readOnly: false },
    water_c: { type: 'number', readOnly: true },
  },
  actions: { feed: { title: 'Feed now', input: { properties: { grams: { type: 'integer' } } } } },
}
const PROBE: Description = { title: 'Probe', properties: { portion_g: { type: 'integer', readOnly: false } } }

describe('the choice of a group', () => {
  it('offers what all its devices have, actions first, and never a reading', () => {
    expect(common([FEEDER, FEEDER]).map(each => each.id)).toEqual(['feed', 'write portion_g'])
    expect(common([FEEDER, PROBE]).map(each => each.id)).toEqual(['write portion_g'])
    expect(common([])).toEqual([])
  })

  it('finds devices by title, id and site', () => {
    const devices = [
      { site: 'arava-1', device: 'feeder-1', title: 'By the pier' },
      { site: 'eilat', device: 'probe', title: 'Oxygen' },
    ] as Device[]
    expect(found(devices, 'PIER')).toHaveLength(1)
    expect(found(devices, 'eilat')).toHaveLength(1)
    expect(found(devices, '')).toHaveLength(2)
  })
})

describe('a group that a second person must run', () => {
  beforeAll(() => speak('en'))
  afterEach(() => {
    cleanup()
    vi.unstubAllGlobals()
    session.value = null
  })

  it('says so, and shows the token that is handed over', async () => {
    session.value = { name: 'dana', role: 'engineer', sites: null, csrf: 'x' }
    const expires_at = new Date(Date.now() + 60_000).toISOString()
    const group = { id: 'g', state: 'previewed', expires_at, progress: { targets: 12 } } as GroupInFull
    keepToken('g', 'the-token')
    const problem = { code: 'second-person-needed', status: 403 }
    const headers = { 'Content-Type': 'application/problem+json' }
    const answer = () => Promise.resolve(new Response(JSON.stringify(problem), { status: 403, headers }))
    vi.stubGlobal('fetch', vi.fn(answer))
    render(<Running group={group} again={() => undefined} />)
    const run = screen.getByRole('button', { name: /Run for 12 devices/ })
    // As a screen reader presses it: once, and once more to confirm.
    fireEvent.click(run)
    fireEvent.click(run)
    expect(await screen.findByText('the-token')).toBeTruthy()
    expect(screen.getByText(/A second person must run this group/)).toBeTruthy()
  })
})
