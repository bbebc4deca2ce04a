import './notice.css'
import type { ComponentChildren } from 'preact'
import type { Problem } from '../api/problem'
import { t, wordsOf } from '../words/words'
import type { Tone } from './Badge'
import { Button } from './Button'
import { Icon, type IconName } from './icons'

const ICONS: Record<Tone, IconName> = {
  ok: 'ok',
  warning: 'warning',
  critical: 'critical',
  unknown: 'unknown',
  accent: 'information',
}

/** Something to read now; what is critical is read out at once, the rest when there is a pause. */
export function Notice({
  tone,
  children,
  action,
}: {
  tone: Tone
  children: ComponentChildren
  action?: ComponentChildren
}) {
  return (
    <div class={`notice notice-${tone}`} role={tone === 'critical' ? 'alert' : 'status'}>
      <Icon name={ICONS[tone]} />
      <div class="notice-words">{children}</div>
      {action}
    </div>
  )
}

/** A problem in plain words, its stable code for whoever is asked for help, and whether something may have happened. */
export function ProblemNotice({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <Notice
      tone={problem.mayHaveHappened ? 'unknown' : 'critical'}
      action={again && <Button onClick={again}>{t('common.tryAgain')}</Button>}
    >
      <p>{wordsOf(problem.code)}</p>
      {problem.mayHaveHappened && <p>{t('common.mayHaveHappened')}</p>}
      <p class="notice-code" dir="ltr">
        {problem.code}
        {problem.detail ? `: ${problem.detail}` : ''}
      </p>
    </Notice>
  )
}
