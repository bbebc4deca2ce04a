import { weight } from '../../format/weights'
import { t } from '../../words/words'
import { type Day, type Grams, sumOf } from './days'

const SUMS: readonly Grams[] = ['fed_g', 'planned_g', 'shortfall_g', 'unknown_g', 'refused_g']

/** What the days come to. Where some are not known, it says of how many it does not tell. */
export function Sums({ days }: { days: readonly Day[] }) {
  return (
    <dl class="sums">
      {SUMS.map(grams => {
        const { known, unknownDays } = sumOf(days, grams)
        const all = unknownDays === days.length
        const alarming = (grams === 'shortfall_g' || grams === 'unknown_g') && known > 0
        return (
          <div key={grams} class={alarming ? 'sum sum-alarming' : 'sum'}>
            <dt>{t(`feed.${grams}`)}</dt>
            <dd class="sum-value digits">{weight(all && days.length > 0 ? null : known)}</dd>
            <dd class="sum-note quiet">
              {unknownDays > 0 ? t('feed.daysUnknown', { count: unknownDays, all: days.length }) : '\u00a0'}
            </dd>
          </div>
        )
      })}
    </dl>
  )
}
