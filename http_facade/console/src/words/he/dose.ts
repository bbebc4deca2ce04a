import type { English } from '../en'
import type { Translation } from '../types'

export const dose = {
  title: 'האכלה',
  presets: 'כמויות',
  where: '{device} באתר {site}',
  waitFor: 'המרווח המזערי מהמנה האחרונה יסתיים בעוד {time}.',
  limits: 'גבולות האתר',
  limitsUnknown: 'לא ידוע כעת כמה נותר מהגבולות.',
  left: 'נותר ל־{time}',
  leftOf: '{left} מתוך {most}',
  largest: 'המנה הגדולה ביותר',
  leastGap: 'מרווח מזערי',
  mostPerDay: 'מקסימום ב־24 שעות',
  nextIn: 'בעוד {time}',
  siteDecides: 'מה שידע המרכז {age}; האתר מחליט.',
  interlocks: 'חסימות בטיחות',
  forbids: 'חוסם',
  allows: 'פנוי',
  interlock: 'חסימת בטיחות',
  live: 'קריאה',
  asked: 'התבקש',
  counted: 'נספר בבקר',
  short: 'חסר',
  sinceLast: 'מאז האחרונה',
  soFar: 'הערך היה',
} satisfies Translation<English>['dose']
