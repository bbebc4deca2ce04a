import type { English } from '../en'
import type { Translation } from '../types'

export const groups = {
  title: 'Grupos',
} satisfies Translation<English>['groups']
