import type { English } from '../en'
import type { Translation } from '../types'

export const tokens = {
  title: 'Tokens',
} satisfies Translation<English>['tokens']
