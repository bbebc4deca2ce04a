import './groups.css'
import { read } from '../../api/client'
import { age } from '../../format/ages'
import { Card } from '../../parts/Card'
import { Icon } from '../../parts/icons'
import { ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { now } from '../../state/clock'
import { useReading } from '../../state/reading'
import { may } from '../../state/session'
import { t } from '../../words/words'
import { deedWords, inputWords } from '../commands/wording'
import { to } from '../routes'
import { useEvery } from './every'
import { done, type Group, GroupBadge } from './GroupBadge'

const SHOWN = 100
const AGAIN_MS = 5_000

/** All groups, newest first; also those that wait for a second person. */
export default function Groups() {
  const reading = useReading(async signal => (await read('/v1/groups', { query: { limit: SHOWN }, signal })).body, [])
  useEvery(AGAIN_MS, reading.again)
  const groups = reading.value?.items
  const make = may('engineer') && (
    <a class="button button-primary" href={to.newGroup()}>
      <Icon name="plus" />
      {t('groups.make')}
    </a>
  )
  return (
    <Page title={t('groups.title')} lead={t('groups.lead')} actions={make}>
      {reading.problem && <ProblemNotice problem={reading.problem} again={reading.again} />}
      <Card>
        {groups ? (
          <Table
            caption={t('groups.title')}
            columns={columns()}
            rows={groups}
            keyOf={each => each.id}
            empty={
              <>
                <p>
                  <strong>{t('groups.none')}</strong>
                </p>
                <p>{t('groups.noneHint')}</p>
              </>
            }
          />
        ) : (
          !reading.problem && <Skeleton lines={6} blockSize="2.25rem" />
        )}
      </Card>
    </Page>
  )
}

function columns(): readonly Column<Group>[] {
  return [
    {
      key: 'what',
      head: t('commands.what'),
      cell: each => (
        <a class="commands-what" href={to.group(each.id)}>
          {deedWords(each.name)} <span class="digits">{inputWords(each as never)}</span>
        </a>
      ),
    },
    { key: 'devices', head: t('groups.choose'), cell: each => t('groups.devices', { count: each.progress.targets }) },
    { key: 'who', head: t('commands.who'), cell: each => <bdi>{each.run_by ?? each.actor}</bdi> },
    { key: 'state', head: t('commands.state'), cell: each => <GroupBadge group={each} /> },
    {
      key: 'progress',
      head: t('groups.outcome'),
      cell: each => each.started_at && t('groups.progress', { done: done(each), all: each.progress.targets }),
      numeric: true,
    },
    {
      key: 'when',
      head: t('commands.when'),
      cell: each => <span aria-live="off">{age(each.created_at, now.value)}</span>,
    },
  ]
}
