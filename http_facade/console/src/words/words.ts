import { effect, signal } from '@preact/signals'
import { remember } from '../state/preferences'
import type { English } from './en'
import type { Message, Translation, Values } from './types'

/** The languages, each by its own name. */
export const LANGUAGES = { en: 'English', es: 'Español', he: 'עברית' } as const
export type Language = keyof typeof LANGUAGES

type Catalogue = Translation<English>
/** `section.key`. */
export type Key = { [S in keyof English & string]: `${S}.${keyof English[S] & string}` }[keyof English & string]
type At<K extends Key> = K extends `${infer S extends keyof English & string}.${infer N}`
  ? N extends keyof English[S]
    ? English[S][N]
    : never
  : never
/** The keys of messages that take no values: what labels and tables may hold. */
export type PlainKey = { [K in Key]: Values<At<K>> extends [] ? K : never }[Key]

const LOADERS: Record<Language, () => Promise<{ default: Catalogue }>> = {
  en: () => import('./en'),
  es: () => import('./es'),
  he: () => import('./he'),
}

const spoken = signal<{ language: Language; catalogue: Catalogue } | undefined>(undefined)

/** The language that is spoken now; reading it in a rendering makes that follow. */
export function language(): Language {
  return spoken.value?.language ?? 'en'
}

/** Whether it is written from right to left; then time runs that way as well. */
export function isMirrored(): boolean {
  return language() === 'he'
}

/** Speak it, once its words have come. */
export async function speak(wanted: Language): Promise<void> {
  const { default: catalogue } = await LOADERS[wanted]()
  spoken.value = { language: wanted, catalogue }
  remember('language', wanted)
}

/** What `early.js` chose: the language that was chosen here before, else the browser's. */
export function preferred(): Language {
  const { lang } = document.documentElement
  return lang in LANGUAGES ? (lang as Language) : 'en'
}

effect(() => {
  if (!spoken.value) return
  document.documentElement.lang = spoken.value.language
  document.documentElement.dir = isMirrored() ? 'rtl' : 'ltr'
})

/** The message in the language that is spoken; a plural's form is chosen by `count`. */
export function t<K extends Key>(key: K, ...values: Values<At<K>>): string {
  const { language: name, catalogue } = spoken.value ?? { language: 'en' as const, catalogue: undefined }
  const [section, word] = key.split('.', 2) as [keyof Catalogue, never]
  const message: Message | undefined = catalogue?.[section]?.[word]
  return message === undefined ? key : filled(message, (values[0] ?? {}) as Record<string, string | number>, name)
}

function filled(message: Message, values: Record<string, string | number>, name: Language): string {
  const form =
    typeof message === 'string'
      ? message
      : (message[new Intl.PluralRules(name).select(Number(values.count))] ?? message.other)
  return form.replace(/\{(\w+)\}/g, (_, placeholder: string) => {
    const value = values[placeholder]
    return typeof value === 'number' ? new Intl.NumberFormat(name).format(value) : String(value ?? '')
  })
}

/** The words for a stable code of a problem or an ack; the code itself where there are none, so that nothing is hidden. */
export function wordsOf(code: string): string {
  const known = spoken.value?.catalogue.problems
  return known && code in known ? String(known[code as keyof typeof known]) : code
}
