import { read } from '../../api/client'
import { day } from '../../format/times'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { useReading } from '../../state/reading'
import { t } from '../../words/words'
import type { AccountOf } from './rights'
import { SitesOf } from './SitesOf'

/** Who signs in with a browser; accounts are changed on the server alone. */
export function Accounts() {
  const accounts = useReading(async signal => (await read('/v1/accounts', { signal })).body.items, [])
  return (
    <Card title={t('tokens.accounts')}>
      {accounts.problem && <ProblemNotice problem={accounts.problem} again={accounts.again} />}
      {accounts.value ? (
        <Table
          caption={t('tokens.accounts')}
          columns={columns()}
          rows={accounts.value}
          keyOf={each => each.name}
          empty={t('tokens.noAccounts')}
        />
      ) : (
        !accounts.problem && <Skeleton lines={3} />
      )}
      <p class="quiet">{t('tokens.accountsHow')}</p>
      <p>
        <code dir="ltr">tidegate account add dana --role operator --site arava-1</code>
      </p>
    </Card>
  )
}

function columns(): Column<AccountOf>[] {
  return [
    {
      key: 'name',
      head: t('tokens.name'),
      cell: each => (
        <strong>
          <bdi>{each.name}</bdi>
        </strong>
      ),
    },
    { key: 'role', head: t('tokens.role'), cell: each => t(`people.${each.role}`) },
    { key: 'sites', head: t('tokens.sites'), cell: each => <SitesOf sites={each.sites} /> },
    { key: 'made', head: t('tokens.made'), cell: each => <span class="digits">{day(each.created_at)}</span> },
    { key: 'changed', head: t('tokens.changed'), cell: each => <span class="digits">{day(each.changed_at)}</span> },
  ]
}
