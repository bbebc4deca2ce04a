import type { English } from '../en'
import type { Translation } from '../types'

export const sites = {
  title: 'אתרים',
  lead: { one: 'אתר אחד', two: 'שני אתרים', other: '{count} אתרים' },
  online: 'מקוון',
  silent: 'שותק',
  unknown: 'לא ידוע',
  heard: 'נשמע {age}',
  onlineSince: 'מאז {time}',
  silentSince: 'שותק מאז {time}, {age}',
  neverHeard: 'מעולם לא נשמע',
  cannotTell: 'לא ניתן לדעת כעת: {cause}',
  lastKnown: 'לא ידוע כעת; ידוע לאחרונה ב־{time}, {age}',
  writesUnknown: 'לא ידוע אם אפשר לשלוח פקודות',
  writesPossible: 'אפשר לשלוח פקודות',
  writesClosed: 'פקודות נדחות עד שהאתר יישמע שוב',
  plcsOk: { one: 'בקר אחד עונה', two: 'שני הבקרים עונים', other: '{count} בקרים עונים' },
  plcsLost: 'אין קשר לבקר: {names}',
  plcsUnknown: 'מצב הבקרים לא ידוע',
  plcsLast: 'הבקרים לפי הדיווח האחרון',
  outbox: { one: 'רשומה אחת ממתינה באתר', two: 'שתי רשומות ממתינות באתר', other: '{count} רשומות ממתינות באתר' },
  agent: 'סוכן {version}',
  alarms: { one: 'התראה אחת', two: 'שתי התראות', other: '{count} התראות' },
  none: 'עדיין אין אתרים',
  noneHint: 'אתר מופיע כאן כשהסוכן שלו מתחבר לראשונה.',
  summaryOnline: '{online} מתוך {all} מקוונים',
} satisfies Translation<English>['sites']
