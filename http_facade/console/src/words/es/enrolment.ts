import type { English } from '../en'
import type { Translation } from '../types'

export const enrolment = {
  title: 'Alta de sitios',
} satisfies Translation<English>['enrolment']
