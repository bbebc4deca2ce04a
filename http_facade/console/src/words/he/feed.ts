import type { English } from '../en'
import type { Translation } from '../types'

export const feed = {
  title: 'האכלה',
} satisfies Translation<English>['feed']
