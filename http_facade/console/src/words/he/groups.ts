import type { English } from '../en'
import type { Translation } from '../types'

export const groups = {
  title: 'קבוצות',
} satisfies Translation<English>['groups']
