import type { English } from '../en'
import type { Translation } from '../types'

export const commands = {
  title: 'Órdenes',
  one: 'Orden',
} satisfies Translation<English>['commands']
