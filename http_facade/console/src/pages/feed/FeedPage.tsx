import './feed.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { read } from '../../api/client'
import { csv } from '../../format/csv'
import { dateIn, dayAfter } from '../../format/zoned'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { keep } from '../../parts/keep'
import { ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Segments } from '../../parts/Segments'
import { Select } from '../../parts/Select'
import { Skeleton } from '../../parts/Skeleton'
import { now } from '../../state/clock'
import { useReading } from '../../state/reading'
import { useZone } from '../../state/zone'
import { t } from '../../words/words'
import { useWidth } from '../history/width'
import { to } from '../routes'
import { Bars, dayName, hatched } from './Bars'
import {
  type Day,
  daysOf,
  devicesIn,
  type FeedTotals,
  GRAMS,
  PERIOD_NAMES,
  PERIODS,
  type Period,
  shownDays,
} from './days'
import { ByFeeder, DayTable } from './FeedTables'
import { Sums } from './Sums'

const ALL = ''
/** The day that is not over is asked for again. */
const AGAIN_MS = 60_000

/** What was fed each day, against what was planned: of a site, or one of its feeders. */
export default function FeedPage({ params: { site } }: { params: { site: string } }) {
  const zone = useZone(site)
  return (
    <Page
      title={t('feed.of', { site })}
      lead={
        <>
          <a href={to.site(site)}>
            <bdi>{site}</bdi>
          </a>
          {zone && ` · ${t('feed.zone', { zone })}`}
        </>
      }
      actions={
        <Button icon="print" class="unprinted" onClick={() => print()}>
          {t('feed.print')}
        </Button>
      }
    >
      {zone ? <Feed key={site} site={site} zone={zone} /> : <Skeleton lines={8} />}
    </Page>
  )
}

function Feed({ site, zone }: { site: string; zone: string }) {
  const [period, setPeriod] = useState<Period>('week')
  const [end, setEnd] = useState<string>()
  const [device, setDevice] = useState(ALL)
  const today = dateIn(now.value, zone)
  const { from, to: last } = daysOf(period, end ?? today)
  const minute = end === undefined ? Math.floor(now.value / AGAIN_MS) : 0
  const asked = [site, from, last]
  const reading = useReading(
    async signal =>
      (await read('/v1/sites/{site}/feed-totals', { path: { site }, query: { from, to: last }, signal })).body,
    asked,
  )
  useAgain(minute, reading.again)
  const move = (days: number) => {
    const moved = dayAfter(last, days)
    setEnd(moved >= today ? undefined : moved)
  }
  const totals = reading.value
  const devices = totals ? devicesIn(totals) : []
  return (
    <>
      <div class="feed-controls unprinted">
        <Segments
          label={t('feed.period')}
          value={period}
          options={PERIOD_NAMES.map(value => ({ value, label: t(`feed.${value}`) }))}
          onChange={setPeriod}
        />
        <div class="feed-steps">
          <Button icon="back" aria-label={t('feed.earlier')} onClick={() => move(-PERIODS[period])} />
          <span class="feed-range digits">
            {dayName(from)} – {dayName(last)}
          </span>
          <Button
            icon="next"
            aria-label={t('feed.later')}
            disabled={end === undefined}
            onClick={() => move(PERIODS[period])}
          />
        </div>
        <Select
          label={t('feed.feeder')}
          value={device}
          options={[{ value: ALL, label: t('feed.all') }, ...devices.map(value => ({ value, label: value }))]}
          onChange={setDevice}
        />
      </div>
      {reading.problem && <ProblemNotice problem={reading.problem} again={reading.again} />}
      {!totals && !reading.problem && (
        <Card>
          <Skeleton lines={10} />
        </Card>
      )}
      {totals && <Shown totals={totals} device={device || undefined} today={today} onDevice={setDevice} />}
    </>
  )
}

/** Reads again when the minute is another one, but not at the first. */
function useAgain(minute: number, again: () => void): void {
  const last = useRef(minute)
  useEffect(() => {
    if (minute !== last.current) again()
    last.current = minute
  }, [minute, again])
}

interface ShownProps {
  totals: FeedTotals
  device: string | undefined
  today: string
  onDevice: (device: string) => void
}

function Shown({ totals, device, today, onDevice }: ShownProps) {
  const [host, width] = useWidth<HTMLDivElement>()
  const days = shownDays(totals, device)
  const [first, last] = [days[0]?.date ?? '', days.at(-1)?.date ?? '']
  const whose = device ?? t('feed.all')
  const label = t('feed.barsOf', { whose, range: `${dayName(first)} – ${dayName(last)}` })
  const keepDays = () => {
    const name = `${totals.site}_${device ?? 'all'}_${first}_${last}.csv`
    keep(name, new Blob([csv(rowsOf(days, totals, device))], { type: 'text/csv;charset=utf-8' }))
  }
  return (
    <>
      <Sums days={days} />
      <Card title={t('feed.perDay', { whose })}>
        <div ref={host}>{width > 0 && <Bars days={days} width={width} label={label} />}</div>
        <BarsLegend />
        <DayTable days={days} today={today} caption={label} />
        <div class="unprinted">
          <Button icon="save" onClick={keepDays}>
            {t('feed.csv')}
          </Button>
        </div>
      </Card>
      {device === undefined && <ByFeeder totals={totals} onDevice={onDevice} />}
    </>
  )
}

function BarsLegend() {
  const kinds = ['meals', 'doses', 'plan', 'short', 'unknown'] as const
  return (
    <ul class="bars-legend">
      {kinds.map(kind => (
        <li key={kind}>
          <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">
            <rect
              class={kind === 'plan' ? 'bar-plan' : `bar bar-${kind}`}
              fill={hatched(kind)}
              x="1"
              y="1"
              width="16"
              height="12"
              rx="2"
            />
          </svg>
          {t(`feed.legend_${kind}`)}
        </li>
      ))}
    </ul>
  )
}

/** As the table has it; names of columns are those of the API, so that programs know them. */
function rowsOf(days: readonly Day[], { site, zone }: FeedTotals, device: string | undefined) {
  const head = ['site', 'device', 'date', 'zone', 'doses', ...GRAMS]
  return [head, ...days.map(day => [site, device ?? '', day.date, zone, day.doses, ...GRAMS.map(name => day[name])])]
}
