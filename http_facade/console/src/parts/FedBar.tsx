import './fed-bar.css'
import { weight } from '../format/weights'
import type { Fed } from '../state/overview'
import { t } from '../words/words'

/** Lengths of the parts of the bar, as shares of it; null where nobody knows what fell, or what was planned. */
export interface Shares {
  readonly fed: number
  /** Asked of the PLC, or due, and nobody knows whether it fell. */
  readonly unknown: number
  readonly short: number
  /** Where what is due by now ends. */
  readonly due: number
}

export function sharesOf({ fed_g, planned_g, due_g, shortfall_g, asked_g, unknown_g }: Fed): Shares | null {
  if (fed_g === null || planned_g === null) return null
  const whole = Math.max(planned_g + asked_g, fed_g + unknown_g)
  if (whole === 0) return { fed: 0, unknown: 0, short: 0, due: 0 }
  const due = (due_g ?? 0) + asked_g
  // Where the counter was not read all day, more may have fallen than it tells.
  const unknown = shortfall_g === null ? Math.max(0, due - fed_g) : Math.min(unknown_g, shortfall_g)
  return {
    fed: fed_g / whole,
    unknown: unknown / whole,
    short: Math.max(0, (shortfall_g ?? 0) - unknown) / whole,
    due: Math.min(1, due / whole),
  }
}

/** What fell in words: of how much, how much of that is due, and what is short; what is not known is said to be so. */
export function fedWords(fed: Fed): { main: string; rest: string; short: string } {
  const { fed_g, planned_g, due_g, shortfall_g, asked_g, unknown_g } = fed
  if (fed_g === null)
    return {
      main: t('sites.fedUnknown'),
      rest: planned_g === null ? '' : t('sites.fedPlanned', { amount: weight(planned_g) }),
      short: '',
    }
  if (planned_g === null)
    return { main: t('sites.fedAlone', { amount: weight(fed_g) }), rest: t('sites.fedPlanUnknown'), short: '' }
  return {
    main: t(shortfall_g === null ? 'sites.fedAtLeast' : 'sites.fedOf', {
      fed: weight(fed_g),
      planned: weight(planned_g + asked_g),
    }),
    rest: [
      due_g !== null && t('sites.fedDue', { amount: weight(due_g + asked_g) }),
      unknown_g > 0 && t('sites.fedDoubtful', { amount: weight(unknown_g) }),
      shortfall_g === null && t('sites.fedMissingUnknown'),
    ]
      .filter(Boolean)
      .join(' · '),
    short: shortfall_g ? t('sites.fedMissing', { amount: weight(shortfall_g) }) : '',
  }
}

/** What was fed today against what is due and planned. */
export function FedBar({ fed, label }: { fed: Fed; label: string }) {
  const shares = sharesOf(fed)
  const { main, rest, short } = fedWords(fed)
  const text = [main, rest, short].filter(Boolean).join('; ')
  const size = (share: number) => ({ inlineSize: `${share * 100}%` })
  return (
    <div class="fed">
      <p class="fed-words digits">
        <strong>{main}</strong>
        {short && <span class="fed-short-words">{short}</span>}
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw their own, which no style reaches */}
      <span
        class={shares ? 'fed-bar' : 'fed-bar fed-bar-unknown'}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((shares?.fed ?? 0) * 100)}
        aria-valuetext={text}
      >
        {shares && (
          <>
            <span class="fed-fallen" style={size(shares.fed)} />
            <span class="fed-unknown" style={size(shares.unknown)} />
            <span class="fed-short" style={size(shares.short)} />
            {shares.due > 0 && <span class="fed-due" style={{ insetInlineStart: `${shares.due * 100}%` }} />}
          </>
        )}
      </span>
      <p class="fed-rest quiet digits">{rest || '\u00a0'}</p>
    </div>
  )
}
