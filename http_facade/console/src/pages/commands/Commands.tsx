import './commands.css'
import { useLocation } from 'preact-iso'
import { addressOf } from '../../api/client'
import { age } from '../../format/ages'
import { shortTime } from '../../format/times'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Icon } from '../../parts/icons'
import { ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { now } from '../../state/clock'
import type { Command } from '../../state/commands'
import { momentOf } from '../../state/following'
import { t } from '../../words/words'
import { DeviceLink } from '../DeviceLink'
import { to } from '../routes'
import { FilterBar } from './FilterBar'
import { asked, filtersOf } from './filters'
import { useLedger } from './ledger'
import { StateBadge } from './StateBadge'
import { deedWords, inputWords, whoWords } from './wording'

/** Every command that was ever asked for, and what became of it. */
export default function Commands() {
  const { query } = useLocation()
  const filters = filtersOf(query)
  const { items: commands, problem, loading, again, more } = useLedger(filters)
  const none = Object.keys(filters).length > 0 ? t('commands.noneFit') : t('commands.none')
  const file = (
    <a
      class="button button-secondary"
      href={addressOf('/v1/commands.csv', { query: asked(filters) as never })}
      download
    >
      <Icon name="save" />
      {t('commands.csv')}
    </a>
  )
  return (
    <Page title={t('commands.title')} lead={t('commands.lead')} actions={file}>
      <FilterBar filters={filters} />
      {problem && <ProblemNotice problem={problem} again={again} />}
      <Card>
        {commands ? (
          <Table
            caption={t('commands.title')}
            columns={columns()}
            rows={commands}
            keyOf={each => each.id}
            empty={none}
          />
        ) : (
          !problem && <Skeleton lines={10} blockSize="2.25rem" />
        )}
        {more && (
          <div class="commands-more">
            <Button busy={loading} onClick={more}>
              {t('commands.older')}
            </Button>
          </div>
        )}
      </Card>
    </Page>
  )
}

function columns(): readonly Column<Command>[] {
  return [
    {
      key: 'what',
      head: t('commands.what'),
      cell: each => (
        <a class="commands-what" href={to.command(each.id)}>
          {deedWords(each.name)} <span class="digits">{inputWords(each)}</span>
        </a>
      ),
    },
    {
      key: 'where',
      head: t('commands.where'),
      cell: each => <DeviceLink site={each.site} device={each.device} />,
    },
    { key: 'who', head: t('commands.who'), cell: each => <bdi>{whoWords(each)}</bdi> },
    { key: 'state', head: t('commands.state'), cell: each => <StateBadge state={each.state} /> },
    { key: 'when', head: t('commands.when'), cell: When, numeric: true },
  ]
}

function When(command: Command) {
  const moment = momentOf(command)
  return (
    <time dateTime={new Date(moment).toISOString()} class="digits" title={age(moment, now.value)}>
      {shortTime(moment, now.value)}
    </time>
  )
}
