import './history.css'
import { useState } from 'preact/hooks'
import { read } from '../../api/client'
import type { components } from '../../api/schema'
import { withUnit } from '../../format/numbers'
import { dateTime } from '../../format/times'
import { unitSign } from '../../format/units'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Select } from '../../parts/Select'
import { Skeleton } from '../../parts/Skeleton'
import { type Column, Table } from '../../parts/Table'
import { type Description, useDescription } from '../../state/description'
import { usePages } from '../../state/pages'
import { useZone } from '../../state/zone'
import { t } from '../../words/words'
import { StateBadge } from '../commands/StateBadge'
import { to } from '../routes'
import { HistoryHead } from './HistoryHead'

type Change = components['schemas']['SettingsChangeOf']
const ALL = ''

/** Who or what changed which setting of a device: from far away, or somebody at its panel. */
export default function SettingsHistory({ params }: { params: { site: string; device: string } }) {
  const { site, device } = params
  const description = useDescription(site, device)
  const zone = useZone(site)
  return (
    <HistoryHead site={site} device={device} title={description.value?.title ?? device} here="settings" zone={zone}>
      {description.problem && <ProblemNotice problem={description.problem} again={description.again} />}
      {description.value && zone && (
        <Changes key={`${site}/${device}`} site={site} device={device} description={description.value} zone={zone} />
      )}
    </HistoryHead>
  )
}

function Changes({
  site,
  device,
  description,
  zone,
}: {
  site: string
  device: string
  description: Description
  zone: string
}) {
  const [property, setProperty] = useState(ALL)
  const settings = Object.entries(description.properties ?? {}).filter(([, each]) => each.readOnly === false)
  const changes = usePages(
    async (cursor: string | undefined, signal) => {
      const query = { property: property || undefined, cursor } as { property?: string; cursor?: string }
      const path = '/v1/sites/{site}/devices/{device}/settings/history'
      return (await read(path, { path: { site, device }, query, signal })).body
    },
    [site, device, property],
  )
  const options = [
    { value: ALL, label: t('history.allSettings') },
    ...settings.map(([value, each]) => ({ value, label: each.title ?? value })),
  ]
  return (
    <Card>
      <div class="range-fields">
        <Select label={t('history.setting')} value={property} options={options} onChange={setProperty} />
      </div>
      {changes.problem && <ProblemNotice problem={changes.problem} again={changes.again} />}
      {changes.items ? (
        <Table
          caption={t('history.settings')}
          columns={columnsOf(description, zone)}
          rows={changes.items}
          keyOf={row => row.id}
          empty={t('history.noChanges')}
        />
      ) : (
        !changes.problem && <Skeleton lines={6} />
      )}
      {changes.more && (
        <Button busy={changes.loading} onClick={changes.more}>
          {t('common.more')}
        </Button>
      )}
    </Card>
  )
}

function columnsOf(description: Description, zone: string): Column<Change>[] {
  return [
    { key: 'at', head: t('history.time'), cell: row => <span class="digits">{dateTime(row.at, zone)}</span> },
    {
      key: 'changes',
      head: t('history.changes'),
      cell: row => (
        <ul class="change-list">
          {row.changes.map(each => (
            <li key={each.name}>
              <ChangeOf change={each} description={description} />
            </li>
          ))}
        </ul>
      ),
    },
    { key: 'by', head: t('history.by'), cell: row => <Doer change={row} /> },
    {
      key: 'outcome',
      head: t('history.outcome'),
      cell: row => row.state && <StateBadge state={row.state} />,
    },
  ]
}

function ChangeOf({ change, description }: { change: Change['changes'][number]; description: Description }) {
  const schema = description.properties?.[change.name]
  const unit = unitSign(schema?.unit)
  return (
    <span class="change-arrow">
      <span>{schema?.title ?? change.name}:</span>
      <span class="digits">
        <span class="quiet">{withUnit(change.old, change.old === null ? '' : unit)}</span>
        {' → '}
        <strong>{withUnit(change.new, unit)}</strong>
      </span>
    </span>
  )
}

function Doer({ change }: { change: Change }) {
  if (change.by === 'panel') {
    return (
      <Badge tone="warning" icon="hand">
        {t('history.atThePanel')}
      </Badge>
    )
  }
  return (
    <span>
      <bdi>{change.actor ?? change.requester}</bdi> <a href={to.command(change.id)}>{t('history.command')}</a>
    </span>
  )
}
