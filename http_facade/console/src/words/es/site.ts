import type { English } from '../en'
import type { Translation } from '../types'

export const site = {
  title: 'Sitio',
} satisfies Translation<English>['site']
