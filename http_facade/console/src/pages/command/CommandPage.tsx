import '../commands/outcome.css'
import './command.css'
import { useEffect } from 'preact/hooks'
import { read } from '../../api/client'
import type { components } from '../../api/schema'
import { dateTime } from '../../format/times'
import { Card } from '../../parts/Card'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import type { Command } from '../../state/commands'
import { describe } from '../../state/description'
import { useFollowed } from '../../state/following'
import { useReading } from '../../state/reading'
import { t, wordsOf } from '../../words/words'
import { Cancel, Doubt } from '../commands/Outcome'
import { Results } from '../commands/Results'
import { StateBadge } from '../commands/StateBadge'
import { deedWords, inputWords, whoWords } from '../commands/wording'
import { to } from '../routes'
import { evidenceWords } from './evidence'
import { TimeLine } from './TimeLine'

type History = components['schemas']['CommandHistory']

/** One command: what was asked, by whom, every step of its life, and by what its end is known. */
export default function CommandPage({ params: { id } }: { params: { id: string } }) {
  const reading = useReading(async signal => (await read('/v1/commands/{id}', { path: { id }, signal })).body, [id])
  const history = reading.value
  const now = useFollowed(history)
  const { again } = reading
  // A step that was told is read with all the others: their times and sources stand in the ledger.
  const moved = now && history && (now.state !== history.state || now.code !== history.code)
  useEffect(() => {
    if (moved) again()
  }, [moved, now?.state, now?.code])
  return (
    <Page title={t('commands.one')} lead={history && <Where command={history} />}>
      {reading.problem && <ProblemNotice problem={reading.problem} again={again} />}
      {history && now ? (
        <Whole history={history} now={now} />
      ) : (
        !reading.problem && (
          <Card>
            <Skeleton lines={8} />
          </Card>
        )
      )}
    </Page>
  )
}

function Where({ command: { site, device } }: { command: Command }) {
  return (
    <>
      <a href={to.device(site, device)}>
        <bdi>{device}</bdi>
      </a>{' '}
      ·{' '}
      <a href={to.site(site)}>
        <bdi>{site}</bdi>
      </a>
    </>
  )
}

function Whole({ history, now }: { history: History; now: Command }) {
  // Without the device's description names stand for titles.
  const { value: description } = useReading(
    signal => describe(history.site, history.device, signal).catch(() => undefined),
    [history.site, history.device],
  )
  return (
    <div class="command">
      <Card title={deedWords(now.name, description)} aside={<StateBadge state={now.state} />}>
        <p class="command-asked digits">{inputWords(now, description, 99)}</p>
        <p>{now.final || now.state === 'unknown' ? wordsOf(now.code ?? now.state) : t('commands.following')}</p>
        {now.detail && (
          <p class="quiet notice-code" dir="ltr">
            {now.detail}
          </p>
        )}
        {now.state === 'unknown' && (
          <Notice tone="unknown">
            <Doubt command={now} />
          </Notice>
        )}
        {Object.keys(now.result).length > 0 && <Results command={now} description={description} />}
        {now.evidence && (
          <p>
            <span class="quiet">{t('commands.evidence')}:</span> {evidenceWords(now.evidence.code, now.evidence.detail)}
          </p>
        )}
        {!now.final && (
          <div class="outcome-actions">
            <Cancel command={now} />
          </div>
        )}
      </Card>
      <Card title={t('commands.facts')}>
        <Facts command={history} />
      </Card>
      <Card title={t('commands.timeline')}>
        <TimeLine steps={history.steps} />
      </Card>
    </div>
  )
}

function Facts({ command }: { command: History }) {
  const rows: readonly (readonly [string, string | null])[] = [
    [t('commands.who'), whoWords(command)],
    [t('commands.program'), command.actor ? command.requester : null],
    [t('commands.address'), command.source_address],
    [t('commands.when'), command.issued_at && dateTime(command.issued_at)],
    [t('commands.deadline'), dateTime(command.deadline_at)],
    [t('commands.reason'), command.reason],
    [t('commands.revision'), command.expect_revision],
    [t('commands.key'), command.idempotency_key],
    [t('commands.id'), command.id],
  ]
  return (
    <dl class="facts">
      {rows.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="digits">
                <bdi>{value}</bdi>
              </dd>
            </div>
          ),
      )}
    </dl>
  )
}
