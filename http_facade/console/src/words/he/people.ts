import type { English } from '../en'
import type { Translation } from '../types'

export const people = {
  title: 'אנשים',
  viewer: 'צופה',
  operator: 'מפעיל',
  engineer: 'מהנדס',
  admin: 'מנהל',
} satisfies Translation<English>['people']
