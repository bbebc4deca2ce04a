import type { English } from '../en'
import type { Translation } from '../types'

export const device = {
  title: 'Dispositivo',
} satisfies Translation<English>['device']
