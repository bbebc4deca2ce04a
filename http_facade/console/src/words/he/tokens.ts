import type { English } from '../en'
import type { Translation } from '../types'

export const tokens = {
  title: 'אסימונים',
} satisfies Translation<English>['tokens']
