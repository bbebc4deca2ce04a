import type { English } from '../en'
import type { Translation } from '../types'

export const feed = {
  title: 'Alimentar',
} satisfies Translation<English>['feed']
