import type { English } from '../en'
import type { Translation } from '../types'

export const people = {
  title: 'Personas',
  viewer: 'Observador',
  operator: 'Operador',
  engineer: 'Ingeniero',
  admin: 'Administrador',
} satisfies Translation<English>['people']
