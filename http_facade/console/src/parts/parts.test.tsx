import { cleanup, fireEvent, render, screen } from '@testing-library/preact'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Problem } from '../api/problem'
import { speak } from '../words/words'
import { Button } from './Button'
import { Field } from './Field'
import { HoldButton } from './HoldButton'
import { Menu } from './Menu'
import { Meter } from './Meter'
import { ProblemNotice } from './Notice'
import { NumberField, parsed } from './NumberField'
import { Switch } from './Switch'
import { Table } from './Table'

beforeAll(() => speak('en'))
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

const holdButton = () => {
  vi.useFakeTimers()
  const confirmed = vi.fn()
  render(<HoldButton onConfirm={confirmed}>Feed</HoldButton>)
  return { button: screen.getByRole('button'), confirmed }
}

test('a busy button does nothing when it is pressed', () => {
  const pressed = vi.fn()
  render(
    <Button busy onClick={pressed}>
      Go
    </Button>,
  )
  fireEvent.click(screen.getByRole('button'))
  expect(pressed).not.toHaveBeenCalled()
})

test('a hold that ends early does nothing, one that is long enough does it once', () => {
  const { button, confirmed } = holdButton()
  fireEvent.pointerDown(button, { button: 0 })
  vi.advanceTimersByTime(800)
  fireEvent.pointerUp(button)
  fireEvent.click(button)
  vi.advanceTimersByTime(5_000)
  expect(confirmed).not.toHaveBeenCalled()
  fireEvent.pointerDown(button, { button: 0 })
  vi.advanceTimersByTime(950)
  fireEvent.pointerUp(button)
  fireEvent.click(button)
  expect(confirmed).toHaveBeenCalledOnce()
})

test.each([' ', 'Enter'])('the key %o is held like a finger, and its repeats do not count', key => {
  const { button, confirmed } = holdButton()
  fireEvent.keyDown(button, { key })
  fireEvent.keyDown(button, { key, repeat: true })
  fireEvent.keyUp(button, { key })
  vi.advanceTimersByTime(2_000)
  expect(confirmed).not.toHaveBeenCalled()
  fireEvent.keyDown(button, { key })
  vi.advanceTimersByTime(950)
  expect(confirmed).toHaveBeenCalledOnce()
})

test('a screen reader’s press is asked for twice', async () => {
  const { button, confirmed } = holdButton()
  fireEvent.click(button)
  await vi.advanceTimersByTimeAsync(50)
  expect(button.textContent).toContain('Press again to confirm')
  expect(confirmed).not.toHaveBeenCalled()
  fireEvent.click(button)
  expect(confirmed).toHaveBeenCalledOnce()
})

test('a field is tied to its label, hint and error', () => {
  render(<Field label="Name" hint="Small letters" error="Missing" value="" onInput={() => {}} />)
  const field = screen.getByLabelText('Name')
  const told = field
    .getAttribute('aria-describedby')
    ?.split(' ')
    .map(id => document.getElementById(id)?.textContent)
  expect(told).toEqual(['Small letters', 'Missing'])
  expect(field.getAttribute('aria-invalid')).toBe('true')
})

test.each([
  ['12', 12],
  [' 1,5 ', 1.5],
  ['-.5', -0.5],
  ['1e3', undefined],
  ['', undefined],
  ['12g', undefined],
])('%o is the number %o', (text, number) => {
  expect(parsed(text)).toBe(number)
})

test('a number is moved by its step, within its limits', () => {
  const moved = vi.fn()
  render(<NumberField label="Portion" value="0.9" step={0.2} maximum={1} onInput={moved} />)
  fireEvent.click(screen.getByRole('button', { name: /Increase/ }))
  expect(moved).toHaveBeenLastCalledWith('1.0')
  fireEvent.click(screen.getByRole('button', { name: /Decrease/ }))
  expect(moved).toHaveBeenLastCalledWith('0.7')
})

test('a switch says and changes its state', () => {
  const changed = vi.fn()
  render(<Switch label="Enabled" checked={false} onChange={changed} />)
  const found = screen.getByRole('switch', { name: 'Enabled' })
  expect(found.getAttribute('aria-checked')).toBe('false')
  fireEvent.click(found)
  expect(changed).toHaveBeenCalledWith(true)
})

test('an unknown quantity is told as such, not as zero', () => {
  render(<Meter label="Oxygen" value={null} maximum={12} text="unknown" />)
  expect(screen.getByRole('meter').getAttribute('aria-valuetext')).toBe('unknown')
})

test('a table has its rows, or says that there are none', () => {
  const columns = [{ key: 'name', head: 'Name', cell: (row: string) => row }]
  const { rerender } = render(<Table caption="T" columns={columns} rows={['a', 'b']} keyOf={row => row} empty="None" />)
  expect(screen.getAllByRole('cell').map(each => each.textContent)).toEqual(['a', 'b'])
  rerender(<Table caption="T" columns={columns} rows={[]} keyOf={row => row} empty="None" />)
  expect(screen.getByText('None')).toBeTruthy()
})

test('a menu closes by Escape and by a press elsewhere', () => {
  render(
    <Menu label="More" icon="more">
      {() => <p>Inside</p>}
    </Menu>,
  )
  const button = screen.getByRole('button', { name: 'More' })
  for (const close of [
    () => fireEvent.keyDown(document.body, { key: 'Escape' }),
    () => fireEvent.pointerDown(document.body),
  ]) {
    fireEvent.click(button)
    expect(screen.getByText('Inside')).toBeTruthy()
    close()
    expect(screen.queryByText('Inside')).toBeNull()
  }
})

test('a problem is told in words, with its code, and whether something may have happened', () => {
  render(<ProblemNotice problem={new Problem('unreachable', 0, 'detail', { mayHaveHappened: true })} />)
  const said = screen.getByRole('status').textContent
  expect(said).toContain('The server does not answer')
  expect(said).toContain('Look before you ask again')
  expect(said).toContain('unreachable: detail')
})
