import type { English } from '../en'
import type { Translation } from '../types'

export const signIn = {
  title: 'כניסה',
  lead: 'ראו מה קורה באתרים, ומה עלה בגורל מה שביקשתם.',
  name: 'שם משתמש',
  password: 'סיסמה',
  show: 'הצגת הסיסמה',
  submit: 'כניסה',
  submitting: 'נכנס …',
  wrong: 'שם המשתמש והסיסמה אינם תואמים.',
  tooMany: 'יותר מדי ניסיונות שגויים. נסו שוב בעוד {seconds} שניות.',
  unreachable: 'השרת אינו עונה. בדקו את החיבור ונסו שוב.',
  ended: 'החיבור הסתיים. היכנסו שוב.',
  nameMissing: 'הזינו שם משתמש.',
  passwordMissing: 'הזינו סיסמה.',
  nameHint: 'אותיות קטנות באנגלית, ספרות ומקפים, למשל dana',
} satisfies Translation<English>['signIn']
