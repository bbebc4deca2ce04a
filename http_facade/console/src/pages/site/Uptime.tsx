import { read } from '../../api/client'
import type { components } from '../../api/schema'
import { duration } from '../../format/ages'
import { number } from '../../format/numbers'
import { day } from '../../format/times'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { serverNow } from '../../state/clock'
import { useEvery } from '../../state/interval'
import { useReading } from '../../state/reading'
import { t } from '../../words/words'

type Day = components['schemas']['DayAvailable']

const DAYS = 14
const DAY_MIN = 24 * 60
const AGAIN_MS = 60_000
const KINDS = ['online_min', 'false_closed_min', 'away_min'] as const

/** Of the last days, how long writes could pass, and why not. */
export function Uptime({ site }: { site: string }) {
  const reading = useReading(
    async signal => {
      const from = new Date(serverNow() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10)
      return (await read('/v1/sites/{site}/availability', { path: { site }, query: { from }, signal })).body
    },
    [site],
  )
  useEvery(AGAIN_MS, reading.again)
  const { value, problem } = reading
  return (
    <Card
      title={t('site.availability')}
      aside={value && <span class="quiet">{t('site.zoneShort', { zone: value.zone })}</span>}
    >
      {problem && <ProblemNotice problem={problem} again={reading.again} />}
      {!value && !problem && <Skeleton lines={1} blockSize="7rem" />}
      {value && <Days days={value.days} />}
    </Card>
  )
}

function Days({ days }: { days: readonly Day[] }) {
  const sum = (kind: (typeof KINDS)[number]) => days.reduce((all, each) => all + each[kind], 0)
  const known = KINDS.reduce((all, kind) => all + sum(kind), 0)
  const share =
    known > 0 ? t('site.share', { percent: number((100 * sum('online_min')) / known, 2) }) : t('common.unknown')
  return (
    <>
      <ul class="uptime-legend">
        <li class="uptime-online_min">
          {t('site.online')}: <strong class="digits">{share}</strong>
        </li>
        <li class="uptime-false_closed_min">
          {t('site.falseClosed')}: <strong class="digits">{minutes(sum('false_closed_min'))}</strong>
        </li>
        <li class="uptime-away_min">
          {t('site.away')}: <strong class="digits">{minutes(sum('away_min'))}</strong>
        </li>
      </ul>
      <ol class="uptime">
        {days.map(each => (
          <li key={each.date} title={words(each)}>
            <span class="uptime-bar" aria-hidden="true">
              {KINDS.map(kind => (
                <span
                  key={kind}
                  class={`uptime-part uptime-${kind}`}
                  style={{ blockSize: `${(100 * each[kind]) / DAY_MIN}%` }}
                />
              ))}
            </span>
            <span class="uptime-date digits" aria-hidden="true">
              {Number(each.date.slice(8))}
            </span>
            <span class="unseen">{words(each)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}

function minutes(length: number): string {
  return length === 0 ? t('site.never') : duration(length * 60)
}

function words({ date, online_min, away_min, false_closed_min }: Day): string {
  const name = day(`${date}T12:00:00Z`, 'UTC')
  if (online_min + away_min + false_closed_min === 0) return t('site.dayUnknown', { day: name })
  return t('site.day', {
    day: name,
    online: minutes(online_min),
    away: minutes(away_min),
    deaf: minutes(false_closed_min),
  })
}
