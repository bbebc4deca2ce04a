import './audit.css'
import { useState } from 'preact/hooks'
import { addressOf, read } from '../../api/client'
import { dateTime, HERE } from '../../format/times'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { CopyButton } from '../../parts/CopyButton'
import { Icon } from '../../parts/icons'
import { ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { usePages } from '../../state/pages'
import { useZone } from '../../state/zone'
import { t } from '../../words/words'
import { AuditFilters } from './AuditFilters'
import { Changes, Outcome, What, Who } from './cells'
import { address, asked, type Filters, filtersOf, type Row } from './filters'

const VERIFY = 'tidegate audit verify'

/** Who asked for what, from where, and what came of it. */
export default function Audit() {
  const [filters, setFilters] = useState(() => filtersOf(new URLSearchParams(location.search)))
  // Of one site in its own time, of several in that of this machine.
  const zone = useZone(filters.site || undefined) ?? HERE
  const query = asked(filters, zone)
  const rows = usePages(
    async (cursor: number | undefined, signal) =>
      (await read('/v1/audit', { query: { ...query, ...(cursor ? { cursor } : {}) }, signal })).body,
    [query],
  )
  const show = (next: Filters) => {
    setFilters(next)
    history.replaceState(history.state, '', `${location.pathname}${address(next)}`)
  }
  return (
    <Page
      title={t('audit.title')}
      lead={t('audit.lead', { zone })}
      actions={
        <a class="button button-secondary" href={addressOf('/v1/audit.csv', { query: query as never })} download>
          <Icon name="save" />
          {t('audit.csv')}
        </a>
      }
    >
      <AuditFilters filters={filters} onChange={show} />
      {rows.problem && <ProblemNotice problem={rows.problem} again={rows.again} />}
      <Card>
        {rows.items ? (
          <Table
            caption={t('audit.title')}
            columns={columnsOf(zone)}
            rows={rows.items}
            keyOf={row => String(row.number)}
            empty={t('audit.none')}
          />
        ) : (
          !rows.problem && <Skeleton lines={10} />
        )}
        {rows.more && (
          <Button busy={rows.loading} onClick={rows.more}>
            {t('common.more')}
          </Button>
        )}
      </Card>
      <Verify />
    </Page>
  )
}

function columnsOf(zone: string): Column<Row>[] {
  return [
    {
      key: 'at',
      head: t('audit.at'),
      cell: row => (
        <span class="digits">
          {dateTime(row.at, zone)} <span class="quiet">#{row.number}</span>
        </span>
      ),
    },
    { key: 'who', head: t('audit.who'), cell: row => <Who row={row} /> },
    { key: 'what', head: t('audit.what'), cell: row => <What row={row} /> },
    { key: 'changes', head: t('audit.changes'), cell: row => <Changes row={row} /> },
    { key: 'outcome', head: t('audit.outcome'), cell: row => <Outcome row={row} /> },
  ]
}

function Verify() {
  return (
    <Card title={t('audit.verifyTitle')}>
      <p>{t('audit.verifyWhy')}</p>
      <div class="command-line">
        <code dir="ltr">{VERIFY}</code>
        <CopyButton text={VERIFY} label={t('common.copy')} />
      </div>
      <p class="quiet">{t('audit.verifyKeep')}</p>
      <p>
        <code dir="ltr">{`${VERIFY} --hash NUMBER:HASH`}</code>
      </p>
    </Card>
  )
}
