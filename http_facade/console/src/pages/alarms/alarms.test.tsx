import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Alarm } from '../../state/alarms'
import { session } from '../../state/session'
import { speak } from '../../words/words'
import { Acknowledging, faultOf, LONGEST_NOTE } from './Acknowledging'
import { AlarmItem } from './AlarmItem'
import { merged } from './Past'

const alarm = {
  site: 'arava-1',
  device: 'feeder-1',
  name: 'jam',
  source: 'agent',
  severity: 'critical',
  title: 'The auger is jammed',
  detail: 'jam reads true',
  since: '2026-11-27T12:00:00.123456Z',
  at: '2026-11-27T12:00:00Z',
  acknowledged: null,
} as Alarm
const asked = vi.fn<typeof fetch>()

beforeAll(() => speak('en'))
beforeEach(() => vi.stubGlobal('fetch', asked))
afterEach(() => {
  cleanup()
  asked.mockReset()
  vi.unstubAllGlobals()
  session.value = null
})

function signedInAs(role: 'viewer' | 'operator'): void {
  // Who is signed in asks for what there is; nothing is.
  asked.mockImplementation(async () => Response.json({ items: [], fed_as_of: '2026-11-27T12:00:00Z' }))
  session.value = { name: 'dana', role, sites: null, csrf: 'c' } as unknown as typeof session.value
}

test('a viewer sees that nobody has taken note, and cannot', () => {
  signedInAs('viewer')
  render(<AlarmItem alarm={alarm} onAcknowledge={() => {}} />)
  expect(screen.queryByRole('button')).toBe(null)
  expect(screen.getByText('Nobody has taken note of it yet')).toBeTruthy()
})

test('an operator may, and the button says of what', () => {
  signedInAs('operator')
  const wanted = vi.fn()
  render(<AlarmItem alarm={alarm} onAcknowledge={wanted} />)
  fireEvent.click(screen.getByRole('button', { name: 'Acknowledge: The auger is jammed, feeder-1 at arava-1' }))
  expect(wanted).toHaveBeenCalledOnce()
})

test('who has taken note is told with the note', () => {
  signedInAs('operator')
  const by = { by: 'dana', at: '2026-11-27T12:01:00Z', note: 'I drive there' }
  render(<AlarmItem alarm={{ ...alarm, acknowledged: by }} onAcknowledge={() => {}} />)
  expect(screen.getByText(/Acknowledged by dana/)).toBeTruthy()
  expect(screen.getByText('I drive there')).toBeTruthy()
  expect(screen.queryByRole('button')).toBe(null)
})

test('a note is needed, and has its end', () => {
  expect(faultOf('  ')).toBe('Write a note.')
  expect(faultOf('x'.repeat(LONGEST_NOTE))).toBe(undefined)
  expect(faultOf('x'.repeat(LONGEST_NOTE + 1))).toContain('500')
})

test('the note is sent for this activation alone, with since exactly as it was told', async () => {
  asked.mockImplementation(async () => Response.json(alarm))
  const closed = vi.fn()
  render(<Acknowledging alarm={alarm} onClose={closed} />)
  fireEvent.input(screen.getByLabelText('Note'), { target: { value: ' I drive there ' } })
  fireEvent.click(screen.getByRole('button', { name: 'Acknowledge' }))
  await waitFor(() => expect(closed).toHaveBeenCalled())
  const [address, { body } = {}] = asked.mock.calls[0] ?? []
  expect(address).toBe('/v1/sites/arava-1/devices/feeder-1/alarms/jam/acknowledgement')
  expect(JSON.parse(String(body))).toEqual({ since: alarm.since, source: 'agent', note: 'I drive there' })
})

test('an alarm that is over says so, and the dialog stays', async () => {
  const headers = { 'Content-Type': 'application/problem+json' }
  const problem = { code: 'alarm-over', title: 'Over', status: 409, detail: 'jam is over' }
  asked.mockImplementation(async () => Response.json(problem, { status: 409, headers }))
  const closed = vi.fn()
  render(<Acknowledging alarm={alarm} onClose={closed} />)
  fireEvent.input(screen.getByLabelText('Note'), { target: { value: 'late' } })
  fireEvent.click(screen.getByRole('button', { name: 'Acknowledge' }))
  await waitFor(() => expect(screen.getByText(/The alarm is over, or was raised anew/)).toBeTruthy())
  expect(closed).not.toHaveBeenCalled()
})

test('an event that the stream told and a page read is there once', () => {
  const event = (id: string) => ({ id }) as Parameters<typeof merged>[0][number]
  expect(merged([event('2'), event('1')], [event('1'), event('0')]).map(each => each.id)).toEqual(['2', '1', '0'])
})
