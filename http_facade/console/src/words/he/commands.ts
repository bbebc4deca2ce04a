import type { English } from '../en'
import type { Translation } from '../types'

export const commands = {
  title: 'פקודות',
  one: 'פקודה',
} satisfies Translation<English>['commands']
