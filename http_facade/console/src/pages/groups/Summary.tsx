import { number, withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import { t } from '../../words/words'
import type { GroupInFull } from './GroupBadge'

/** The preview in numbers: how many would pass, how many not, and how much it comes to. */
export function Summary({ group: { summary, rate_per_s: rate, stop_share: share } }: { group: GroupInFull }) {
  const rows = [
    [t('groups.pass'), number(summary.pass)],
    [t('groups.refused'), number(summary.refused), summary.refused > 0],
    ...(summary.unchanged > 0 ? [[t('groups.unchanged'), number(summary.unchanged)] as const] : []),
    ...summary.totals.map(({ argument, unit, passing, all }) => {
      const words = (amount: number) => withUnit(amount, unitSign(unit))
      const value = passing === all ? words(all) : t('groups.totalOf', { passing: words(passing), all: words(all) })
      return [`${t('groups.total')} (${argument})`, value] as const
    }),
    [t('groups.rate'), number(rate)],
    [t('groups.stopShare'), withUnit(share * 100, '%')],
  ] as const
  return (
    <dl class="results">
      {rows.map(([name, value, odd]) => (
        <div key={name} class={odd ? 'results-odd' : undefined}>
          <dt>{name}</dt>
          <dd class="digits">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
