import { effect, signal } from '@preact/signals'
import { t } from '../words/words'
import { type Alarm, activationOf, alarms } from './alarms'
import { session } from './session'
import { play, sound } from './sound'

/** What was raised last while somebody is here, in words, to be read out. */
export const announcement = signal('')

let known: ReadonlySet<string> | undefined

/** Activations that were not there before; none at the first look, for those are no news. */
export function news(before: ReadonlySet<string> | undefined, active: readonly Alarm[]): readonly Alarm[] {
  return before === undefined ? [] : active.filter(each => !before.has(activationOf(each)))
}

effect(() => {
  const active = session.value ? alarms.value : undefined
  const raised = active ? news(known, active) : []
  known = active && new Set(active.map(activationOf))
  const [first] = raised
  if (!first) return
  announcement.value =
    raised.length > 1
      ? t('alarms.severalRaised', { count: raised.length })
      : t(first.severity === 'critical' ? 'alarms.criticalRaised' : 'alarms.warningRaised', {
          title: first.title,
          device: first.device,
          site: first.site,
        })
  if (sound.peek() && raised.some(each => each.severity === 'critical' && !each.acknowledged)) void play()
})
