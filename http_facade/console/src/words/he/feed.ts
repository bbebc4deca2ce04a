import type { English } from '../en'
import type { Translation } from '../types'

export const feed = {
  title: 'האכלה',
  today: 'האכלה היום',
  of: 'ניתנו {fed} מתוך {planned}',
  atLeast: 'ניתנו לפחות {fed} מתוך {planned}',
  fallen: 'ניתנו {amount}',
  planned: 'מתוכננים {amount}',
  due: '{amount} היו אמורים להינתן עד כה',
  short: 'חסרים {amount}',
  unknown: '{amount} התבקשו ולא ידוע אם ניתנו',
  shortUnknown: 'לא ידוע אם חסר',
  notKnown: 'לא ידוע כמה ניתן',
  planUnknown: 'לא ידוע כמה מתוכנן',
  noFeeders: 'לא ידועים מאכילים',
} satisfies Translation<English>['feed']
