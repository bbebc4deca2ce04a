import type { English } from '../en'
import type { Translation } from '../types'

export const audit = {
  title: 'יומן ביקורת',
} satisfies Translation<English>['audit']
