import { expect, test } from 'vitest'
import { parser } from './server-sent'

const TEXT = 'retry: 2000\n\nevent: status\nid: 7\ndata: {"site":"a"}\n\n: still here\nid: 9\n\n'

test('events are the same however the text is cut', () => {
  const whole = parser()(TEXT)
  for (let cut = 1; cut < TEXT.length; cut++) {
    const parse = parser()
    expect([...parse(TEXT.slice(0, cut)), ...parse(TEXT.slice(cut))]).toEqual(whole)
  }
})

test('an event has its name, number and data; a sign of life only a number', () => {
  expect(parser()(TEXT).slice(1)).toEqual([
    { name: 'status', data: '{"site":"a"}', id: '7' },
    { name: '', data: '', id: '9' },
  ])
})

test('what is not ended is no event yet', () => {
  expect(parser()('event: status\ndata: {}\n')).toEqual([])
})
