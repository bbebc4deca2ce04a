import type { English } from '../en'
import type { Translation } from '../types'

export const device = {
  title: 'מכשיר',
} satisfies Translation<English>['device']
