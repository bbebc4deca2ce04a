import type { English } from '../en'
import type { Translation } from '../types'

export const history = {
  title: 'Historial',
} satisfies Translation<English>['history']
