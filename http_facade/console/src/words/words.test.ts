import { expect, test } from 'vitest'
import en from './en'
import es from './es'
import he from './he'
import type { Message } from './types'
import { speak, t, wordsOf } from './words'

const CATALOGUES: Record<string, Record<string, Record<string, Message>>> = { en, es, he }
const entries = (catalogue: Record<string, Record<string, Message>> = {}) =>
  Object.entries(catalogue).flatMap(([section, words]) =>
    Object.entries(words).map(([key, message]) => [`${section}.${key}`, message] as const),
  )
const forms = (message: Message) => (typeof message === 'string' ? [message] : Object.values(message))
const placeholders = (message: Message) =>
  [...new Set(forms(message).flatMap(form => form.match(/\{\w+\}/g) ?? []))].filter(each => each !== '{count}').sort()

test.each(['es', 'he'])('%s has the keys of English, and each message its placeholders', language => {
  const shape = (name: string) =>
    entries(CATALOGUES[name]).map(([key, message]) => [key, typeof message, placeholders(message)])
  expect(shape(language)).toEqual(shape('en'))
})

test.each(['en', 'es', 'he'])('%s has words for every key, and every plural that its numbers need', language => {
  const rules = new Intl.PluralRules(language)
  const needed = new Set(Array.from({ length: 200 }, (_, count) => rules.select(count)))
  for (const [key, message] of entries(CATALOGUES[language])) {
    for (const form of forms(message)) expect(form.trim(), key).not.toBe('')
    if (typeof message === 'object') {
      // Hebrew's "two" may be said as any other number.
      for (const rule of needed) expect(rule in message || rule === 'two', `${key}: ${rule}`).toBe(true)
    }
  }
})

test('a message is filled, and a plural chosen by its count', async () => {
  await speak('en')
  expect(t('shell.signedInAs', { name: 'dana' })).toBe('Signed in as dana')
  expect(t('shell.activeAlarms', { count: 1 })).toBe('1 active alarm')
  expect(t('shell.activeAlarms', { count: 2 })).toBe('2 active alarms')
  await speak('he')
  expect(t('shell.activeAlarms', { count: 2 })).toBe('שתי התראות פעילות')
  expect(document.documentElement.dir).toBe('rtl')
  await speak('en')
  expect(document.documentElement.dir).toBe('ltr')
})

test('a code without words is shown as it is', async () => {
  await speak('en')
  expect(wordsOf('never-heard-of')).toBe('never-heard-of')
  expect(wordsOf('dose-short')).toBe(en.problems['dose-short'])
})
