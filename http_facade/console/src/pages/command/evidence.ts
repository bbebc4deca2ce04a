import { t } from '../../words/words'

const EVIDENCE = ['read-back', 'former-value', 'mailbox', 'counter', 'refusal', 'not-begun', 'never-seen'] as const

/** By what an end is known, in words; a code that is newer than these pages speaks for itself. */
export function evidenceWords(code: string, detail: string): string {
  const known = EVIDENCE.find(each => each === code)
  return known ? t(`commands.${known}`) : detail || code
}
