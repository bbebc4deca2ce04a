import type { English } from '../en'
import type { Translation } from '../types'

export const audit = {
  title: 'Auditoría',
} satisfies Translation<English>['audit']
