import type { components } from '../../api/schema'
import { clockTime, dateTime, day } from '../../format/times'
import { Icon, type IconName } from '../../parts/icons'
import { t, wordsOf } from '../../words/words'
import { STATES, type State, stateWords } from '../commands/StateBadge'
import { evidenceWords } from './evidence'

type Step = components['schemas']['Step']

const DEEDS = ['published', 'written', 'verified'] as const
const ICONS: Readonly<Record<string, IconName>> = {
  applied: 'ok',
  verified: 'ok',
  partial: 'warning',
  failed: 'critical',
  rejected: 'critical',
  expired: 'warning',
  unknown: 'unknown',
}

export function stepWords(what: string): string {
  const deed = DEEDS.find(each => each === what)
  if (deed) return t(`commands.${deed}`)
  return STATES.includes(what as State) ? stateWords(what as State) : what
}

/** Each step: what, when by whose clock, when it was written down, and what it was known by. */
export function TimeLine({ steps }: { steps: readonly Step[] }) {
  return (
    <ol class="timeline">
      {steps.map((step, index) => (
        <li key={index} class={`timeline-step timeline-${step.what}`}>
          <span class="timeline-mark">
            <Icon name={ICONS[step.what] ?? 'down'} size={16} />
          </span>
          <div>
            <strong>{stepWords(step.what)}</strong>
            <p class="digits">
              {step.at === null ? t('commands.noTime') : timeOf(step.at)}{' '}
              <span class="quiet">{t('commands.byClock', { source: step.source })}</span>
            </p>
            <p class="quiet digits timeline-recorded">
              {t('commands.recorded', { time: clockTime(step.recorded_at) })}
            </p>
            {step.code && step.code !== step.what && <p>{wordsOf(step.code)}</p>}
            {step.evidence && <p>{evidenceWords(step.evidence.code, step.evidence.detail)}</p>}
            {step.detail && (
              <p class="quiet notice-code" dir="ltr">
                {step.detail}
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  )
}

/** To the millisecond, since the steps of a command may lie within one second. */
function timeOf(moment: string): string {
  const millis = String(new Date(moment).getMilliseconds()).padStart(3, '0')
  const zone = dateTime(moment).split(' ').at(-1) ?? ''
  return `${day(moment)}, ${clockTime(moment)}.${millis} ${zone}`
}
