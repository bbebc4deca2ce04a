import { useEffect } from 'preact/hooks'
import { duration } from '../../format/ages'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'
import { Icon } from '../../parts/icons'
import { Notice } from '../../parts/Notice'
import { now } from '../../state/clock'
import type { Reading } from '../../state/reading'
import { sites } from '../../state/sites'
import { t } from '../../words/words'
import { to } from '../routes'
import { Matrix } from './Matrix'
import { type Before, type Invited, type Progress, progressOf, type Registered } from './registrations'

/** Enrolling is no change that the stream tells; being online is. */
const AGAIN_MS = 2_000
const LINES = ['tidegate agent enrol', 'tidegate agent --config site.toml']

export interface WatchProps {
  invited: Invited
  before: Before
  registrations: Reading<Registered[]>
  onAnother: () => void
}

/** The code, what to type at the site, and how far the site has come. */
export function Watch({ invited, before, registrations, onAnother }: WatchProps) {
  const { site, code, expires_at: ends } = invited
  const present = registrations.value?.find(each => each.site === site)
  const progress = progressOf(before, present, sites.value?.get(site))
  const leftS = (Date.parse(ends) - now.value) / 1_000
  useEffect(() => {
    if (progress.enrolled) return
    const timer = setInterval(registrations.again, AGAIN_MS)
    return () => clearInterval(timer)
  }, [progress.enrolled, registrations.again])
  return (
    <Card
      title={t('enrolment.codeOf', { site })}
      aside={progress.enrolled ? <Badge tone="ok">{t('enrolment.used')}</Badge> : <TimeLeft leftS={leftS} />}
    >
      {!progress.enrolled && leftS <= 0 && <Notice tone="warning">{t('enrolment.over')}</Notice>}
      {!progress.enrolled && leftS > 0 && (
        <>
          <Notice tone="warning">{t('enrolment.once')}</Notice>
          <div class="enrolment-code">
            <Matrix text={code} label={t('enrolment.qr', { site })} />
            <div class="enrolment-type">
              <p>{t('enrolment.type')}</p>
              {LINES.map(line => (
                <div key={line} class="command-line">
                  <code dir="ltr">{line}</code>
                  <CopyButton text={line} label={t('common.copy')} />
                </div>
              ))}
              <p>{t('enrolment.asks')}</p>
              <div class="command-line">
                <code dir="ltr" data-code>
                  {code}
                </code>
                <CopyButton text={code} label={t('enrolment.copyCode')} />
              </div>
            </div>
          </div>
        </>
      )}
      <Steps site={site} progress={progress} />
      <div>
        <Button onClick={onAnother}>{t('enrolment.another')}</Button>
      </div>
    </Card>
  )
}

function TimeLeft({ leftS }: { leftS: number }) {
  if (leftS <= 0) return <Badge tone="critical">{t('enrolment.codeOver')}</Badge>
  return (
    <Badge tone={leftS < 300 ? 'warning' : 'accent'}>
      <span class="digits">{t('enrolment.left', { time: duration(leftS) })}</span>
    </Badge>
  )
}

function Steps({ site, progress: { enrolled, online } }: { site: string; progress: Progress }) {
  const steps = [
    { key: 'made', done: true, words: t('enrolment.stepCode') },
    { key: 'enrolled', done: enrolled, words: t(enrolled ? 'enrolment.stepEnrolled' : 'enrolment.waitEnrolled') },
    { key: 'online', done: online, words: t(online ? 'enrolment.stepOnline' : 'enrolment.waitOnline') },
  ]
  return (
    <div role="status">
      <ol class="enrolment-steps">
        {steps.map(({ key, done, words }) => (
          <li key={key} class={done ? 'enrolment-done' : 'quiet'}>
            <Icon name={done ? 'ok' : 'unknown'} />
            {words}
          </li>
        ))}
      </ol>
      {online && (
        <p>
          <a href={to.site(site)}>{t('enrolment.goThere', { site })}</a>
        </p>
      )}
    </div>
  )
}
