import { age } from '../../format/ages'
import { clockTime } from '../../format/times'
import { Notice } from '../../parts/Notice'
import { now } from '../../state/clock'
import type { Closed } from '../../state/gate'
import { t } from '../../words/words'

const WORDS = {
  unread: 'device.closedUnread',
  'not-live': 'device.closedNotLive',
  silent: 'device.closedSilent',
  unknown: 'device.closedUnknown',
  'plc-lost': 'device.closedPlc',
} as const

/** Why the forms are closed, for how long already, and that they open by themselves. */
export function ClosedNotice({ closed }: { closed: Closed }) {
  return (
    <Notice tone={closed.why === 'silent' || closed.why === 'plc-lost' ? 'critical' : 'unknown'}>
      <p>
        <strong>{t(WORDS[closed.why])}</strong>
      </p>
      {closed.since !== null && (
        <p class="digits" aria-live="off">
          {t('device.lastHeard', { time: clockTime(closed.since), age: age(closed.since, now.value) })}
        </p>
      )}
      {closed.why === 'silent' && closed.since === null && <p>{t('sites.neverHeard')}</p>}
      <p>{t('device.opensAgain')}</p>
    </Notice>
  )
}
