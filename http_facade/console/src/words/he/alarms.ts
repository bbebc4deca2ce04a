import type { English } from '../en'
import type { Translation } from '../types'

export const alarms = {
  title: 'התראות',
} satisfies Translation<English>['alarms']
