import type { English } from '../en'
import type { Translation } from '../types'

export const audit = {
  title: 'יומן ביקורת',
  lead: 'כל מה שמישהו ביקש לשנות, מהחדש לישן; השעות לפי {zone}',
  csv: 'כל מה שמתאים (CSV)',
  none: 'אין שורה כזאת.',
  at: 'מתי',
  who: 'מי',
  what: 'מה',
  changes: 'לפני ← אחרי',
  outcome: 'תוצאה',
  site: 'אתר',
  everySite: 'כל האתרים',
  kind: 'סוג',
  everyKind: 'כל הסוגים',
  person: 'אדם או תוכנה',
  find: 'חיפוש',
  all: 'הצגת הכול',
  asked: 'התבקש',
  refused: 'נדחה',
  cancel: 'התבקש ביטול',
  ended: 'הסתיים',
  done: 'בוצע במרכז',
  verifyTitle: 'האם מישהו שינה שורה?',
  verifyWhy:
    'כל שורה שומרת גיבוב של עצמה ושל השורה שלפניה, ומסד הנתונים מסרב לשנות או למחוק שורה. אם השרשרת שלמה אומר, בשרת:',
  verifyKeep: 'שמרו את השורה האחרונה שמודפסת במקום אחר, לא בשרת. בעזרתה מתגלה גם שרשרת שמישהו בנה מחדש:',
} satisfies Translation<English>['audit']
