import { useEffect, useRef } from 'preact/hooks'
import { read } from '../../api/client'
import type { components } from '../../api/schema'
import { age, duration } from '../../format/ages'
import { withUnit } from '../../format/numbers'
import { Meter } from '../../parts/Meter'
import { now } from '../../state/clock'
import type { Reading } from '../../state/reading'
import { useReading } from '../../state/reading'
import type { Place } from '../../state/wish'
import { t } from '../../words/words'

export type Allowance = components['schemas']['AllowanceOf']

/** Doses grow old, and others ask too, at the site as well. */
const AGAIN_MS = 30_000

/** What the limits of an action leave now, by what the centre knows; read anew whenever one of its commands moves. */
export function useAllowance({ site, device, name }: Place, moved: string): Reading<Allowance> {
  const reading = useReading(
    async signal => {
      const path = { site, device, action: name }
      return (await read('/v1/sites/{site}/devices/{device}/actions/{action}/allowance', { path, signal })).body
    },
    [site, device, name],
  )
  const { again } = reading
  const known = useRef(moved)
  useEffect(() => {
    if (known.current !== moved) again()
    known.current = moved
    const timer = setInterval(again, AGAIN_MS)
    return () => clearInterval(timer)
  }, [moved])
  return reading
}

/** Seconds until the least gap since the last dose is over; 0 once it is. */
export function gapS(allowance: Allowance | undefined, nowMs: number): number {
  return allowance?.next_at ? Math.max(0, Math.ceil((Date.parse(allowance.next_at) - nowMs) / 1_000)) : 0
}

export function Limits({ allowance, unit }: { allowance: Reading<Allowance>; unit: string }) {
  const { value, problem } = allowance
  if (problem && !value) return <p class="quiet">{t('dose.limitsUnknown')}</p>
  if (!value || (value.largest === null && value.least_gap_s === null && value.most === null)) return null
  const amount = (grams: number) => withUnit(grams, unit)
  const waitS = gapS(value, now.value)
  return (
    <section class="dose-facts">
      <h3>{t('dose.limits')}</h3>
      {value.most !== null && (
        <Meter
          label={t('dose.left', { time: duration(value.window_s ?? 0) })}
          value={value.left}
          maximum={value.most}
          text={t('dose.leftOf', {
            left: value.left === null ? t('common.unknown') : amount(value.left),
            most: amount(value.most),
          })}
          tone={value.left !== null && value.left < value.most / 10 ? 'warning' : 'accent'}
        />
      )}
      <dl class="results">
        {value.largest !== null && (
          <div>
            <dt>{t('dose.largest')}</dt>
            <dd class="digits">{amount(value.largest)}</dd>
          </div>
        )}
        {value.least_gap_s !== null && (
          <div class={waitS > 0 ? 'results-odd' : undefined}>
            <dt>{t('dose.leastGap')}</dt>
            <dd class="digits">
              {duration(value.least_gap_s)}
              {waitS > 0 && ` · ${t('dose.nextIn', { time: duration(waitS) })}`}
            </dd>
          </div>
        )}
      </dl>
      <p class="quiet dose-where" aria-live="off">
        {t('dose.siteDecides', { age: age(value.as_of, now.value) })}
      </p>
    </section>
  )
}
