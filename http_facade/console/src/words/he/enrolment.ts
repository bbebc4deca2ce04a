import type { English } from '../en'
import type { Translation } from '../types'

export const enrolment = {
  title: 'צירוף אתרים',
} satisfies Translation<English>['enrolment']
