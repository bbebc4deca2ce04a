import { weight } from '../../format/weights'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { type Column, Table } from '../../parts/Table'
import { t } from '../../words/words'
import { dayName } from './Bars'
import { type Day, devicesIn, type FeedTotals, type Grams, shownDays, sumOf } from './days'

const SHOWN: readonly Grams[] = [
  'fed_g',
  'planned_g',
  'asked_g',
  'counted_g',
  'short_g',
  'shortfall_g',
  'unknown_g',
  'refused_g',
]

/** The days in numbers, the newest first. */
export function DayTable({ days, today, caption }: { days: readonly Day[]; today: string; caption: string }) {
  const columns: Column<Day>[] = [
    {
      key: 'date',
      head: t('feed.day'),
      cell: day => (
        <span class="digits">
          {dayName(day.date, true)}
          {day.date === today && <span class="quiet"> {t('feed.soFar')}</span>}
        </span>
      ),
    },
    ...SHOWN.map(grams => ({
      key: grams,
      head: t(`feed.${grams}`),
      numeric: true,
      cell: (day: Day) => <Cell grams={grams} value={day[grams]} />,
    })),
  ]
  return (
    <div class="wide">
      <Table
        caption={caption}
        columns={columns}
        rows={days.toReversed()}
        keyOf={day => day.date}
        empty={t('feed.none')}
      />
    </div>
  )
}

function Cell({ grams, value }: { grams: Grams; value: number | null }) {
  if (value === null) return <span class="quiet">{t('common.unknown')}</span>
  const alarming = value > 0 && (grams === 'shortfall_g' || grams === 'unknown_g' || grams === 'short_g')
  return alarming ? <strong class="alarming">{weight(value)}</strong> : <span>{weight(value)}</span>
}

/** What the days come to, of each feeder. */
export function ByFeeder({ totals, onDevice }: { totals: FeedTotals; onDevice: (device: string) => void }) {
  const shown: readonly Grams[] = ['fed_g', 'planned_g', 'shortfall_g', 'unknown_g', 'refused_g']
  const columns: Column<string>[] = [
    {
      key: 'device',
      head: t('feed.feeder'),
      cell: device => (
        <Button kind="plain" class="feeder" onClick={() => onDevice(device)}>
          <bdi>{device}</bdi>
        </Button>
      ),
    },
    ...shown.map(grams => ({
      key: grams,
      head: t(`feed.${grams}`),
      numeric: true,
      cell: (device: string) => <SumCell days={shownDays(totals, device)} grams={grams} />,
    })),
  ]
  return (
    <Card title={t('feed.byFeeder')}>
      <Table
        caption={t('feed.byFeeder')}
        columns={columns}
        rows={devicesIn(totals)}
        keyOf={device => device}
        empty={t('feed.none')}
      />
    </Card>
  )
}

function SumCell({ days, grams }: { days: readonly Day[]; grams: Grams }) {
  const { known, unknownDays } = sumOf(days, grams)
  if (unknownDays === days.length) return <span class="quiet">{t('common.unknown')}</span>
  return (
    <span>
      <Cell grams={grams} value={known} />
      {unknownDays > 0 && (
        <span class="quiet"> ({t('feed.daysUnknown', { count: unknownDays, all: days.length })})</span>
      )}
    </span>
  )
}
