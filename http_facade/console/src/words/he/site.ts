import type { English } from '../en'
import type { Translation } from '../types'

export const site = {
  title: 'אתר',
} satisfies Translation<English>['site']
