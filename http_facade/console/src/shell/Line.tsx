import { age } from '../format/ages'
import { clockTime } from '../format/times'
import { Button } from '../parts/Button'
import { Icon } from '../parts/icons'
import { Notice } from '../parts/Notice'
import { now } from '../state/clock'
import { connection, cut, tryNow } from '../state/connection'
import { t, wordsOf } from '../words/words'

/** Whether what is shown is live, and as of when: always in sight. */
export function LineState() {
  const { state, asOf } = connection.value
  const words = {
    live: 'shell.live',
    connecting: 'shell.connecting',
    interrupted: 'shell.interrupted',
    offline: 'shell.interrupted',
  } as const
  return (
    <span class={`line line-${state}`} title={t(words[state])}>
      <Icon name={state === 'live' ? 'live' : state === 'connecting' ? 'more' : 'offline'} size={18} />
      <span class="line-word">{t(words[state])}</span>
      {asOf !== undefined && <time class="digits line-time">{t('shell.asOf', { time: clockTime(asOf) })}</time>}
    </span>
  )
}

/** Says across the page that nothing here is live; read out when that begins, not every second. */
export function LineNotice() {
  const { state, asOf } = connection.value
  return (
    <div class="line-notice">
      {(state === 'interrupted' || state === 'offline') && (
        <Notice tone="warning" action={<Button onClick={tryNow}>{t('shell.reconnect')}</Button>}>
          <p>
            <strong>{t(state === 'offline' ? 'shell.offline' : 'shell.interrupted')}</strong>
          </p>
          {state === 'interrupted' && cut.value && cut.value.code !== 'unreachable' && <p>{wordsOf(cut.value.code)}</p>}
          <p aria-live="off">
            {asOf === undefined ? t('shell.neverHeard') : t('shell.lastHeard', { age: age(asOf, now.value) })}
          </p>
        </Notice>
      )}
    </div>
  )
}
