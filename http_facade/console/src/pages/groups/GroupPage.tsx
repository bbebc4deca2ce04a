import './groups.css'
import '../commands/outcome.css'
import { read } from '../../api/client'
import { dateTime } from '../../format/times'
import { Card } from '../../parts/Card'
import { Meter } from '../../parts/Meter'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { describe } from '../../state/description'
import { useReading } from '../../state/reading'
import { t } from '../../words/words'
import { deedWords, inputWords } from '../commands/wording'
import { useEvery } from './every'
import { done, GroupBadge, type GroupInFull } from './GroupBadge'
import { Running } from './Running'
import { Summary } from './Summary'
import { Targets } from './Targets'

const AGAIN_MS = 1_000
/** Somebody else may run it meanwhile. */
const WAITING_MS = 4_000
const MOVING: readonly GroupInFull['state'][] = ['previewed', 'running']

/** A group: what it would do to each device, and once it runs, what it did. */
export default function GroupPage({ params: { id } }: { params: { id: string } }) {
  const reading = useReading(async signal => (await read('/v1/groups/{id}', { path: { id }, signal })).body, [id])
  const group = reading.value
  const open = group && (MOVING.includes(group.state) || done(group) < group.progress.targets)
  useEvery(
    open && group.state !== 'expired' ? (group.state === 'previewed' ? WAITING_MS : AGAIN_MS) : undefined,
    reading.again,
  )
  const [first] = group?.targets ?? []
  // Without the description of the first device, names stand for titles.
  const { value: described } = useReading(
    async signal => first && (await describe(first.site, first.device, signal).catch(() => undefined)),
    [first?.site, first?.device],
  )
  return (
    <Page
      title={group ? deedWords(group.name, described) : t('groups.title')}
      lead={group && inputWords(group as never, described, 9)}
    >
      {reading.problem && <ProblemNotice problem={reading.problem} again={reading.again} />}
      {group ? <Whole group={group} again={reading.again} /> : !reading.problem && <Loading />}
    </Page>
  )
}

function Loading() {
  return (
    <Card>
      <Skeleton lines={8} />
    </Card>
  )
}

const CAUSES = { failures: 'groups.failures', asked: 'groups.askedStop' } as const

function Whole({ group, again }: { group: GroupInFull; again: () => void }) {
  const { progress } = group
  const count = done(group)
  return (
    <>
      <div class="group-top">
        <Card title={t('groups.summary')} aside={<GroupBadge group={group} />}>
          <Summary group={group} />
        </Card>
        <Card title={t('groups.outcome')}>
          {group.started_at && (
            <Meter
              label={t('groups.outcome')}
              value={count}
              maximum={progress.targets}
              text={t('groups.progress', { done: count, all: progress.targets })}
              tone={progress.failed > 0 ? 'warning' : 'ok'}
            />
          )}
          {progress.failed > 0 && <p class="group-failed">{t('groups.failed', { count: progress.failed })}</p>}
          {group.cause && <Notice tone="warning">{t(CAUSES[group.cause])}</Notice>}
          {group.state === 'interrupted' && <Notice tone="critical">{t('groups.gone')}</Notice>}
          <p class="quiet">
            {t('groups.previewedBy', { who: group.actor })} · {dateTime(group.created_at)}
            {group.run_by && (
              <>
                <br />
                {t('groups.runBy', { who: group.run_by })} · {group.started_at && dateTime(group.started_at)}
              </>
            )}
          </p>
          <Running group={group} again={again} />
        </Card>
      </div>
      <Card>
        <Targets group={group} />
      </Card>
    </>
  )
}
