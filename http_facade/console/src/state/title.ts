import { effect, signal } from '@preact/signals'
import { t } from '../words/words'
import { urgent } from './alarms'

/** The heading of the page that is shown. */
export const pageTitle = signal('')

/** `(2) Sites · Tidegate`: so many critical alarms that nobody has taken note of, seen from another tab as well. */
effect(() => {
  const count = urgent.value.length
  const name = t('shell.product')
  document.title = `${count > 0 ? `(${count}) ` : ''}${pageTitle.value ? `${pageTitle.value} · ${name}` : name}`
  // Where the console is installed as an application, its icon says so too; browsers that cannot do not mind.
  if ('setAppBadge' in navigator) {
    void (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => undefined)
  }
})
