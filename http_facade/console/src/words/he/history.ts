import type { English } from '../en'
import type { Translation } from '../types'

export const history = {
  title: 'היסטוריה',
} satisfies Translation<English>['history']
