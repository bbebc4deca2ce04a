import type { English } from '../en'
import type { Translation } from '../types'

export const alarms = {
  title: 'Alarmas',
} satisfies Translation<English>['alarms']
