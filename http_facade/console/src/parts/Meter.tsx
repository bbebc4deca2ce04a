import './meter.css'
import type { Tone } from './Badge'

export interface MeterProps {
  label: string
  /** Null where it is not known: the bar is empty and says so, it does not show zero. */
  value: number | null
  minimum?: number
  maximum: number
  /** The value in words and with its unit. */
  text: string
  tone?: Tone
}

/** A quantity between two ends. */
export function Meter({ label, value, minimum = 0, maximum, text, tone = 'accent' }: MeterProps) {
  const share = value === null ? 0 : Math.min(1, Math.max(0, (value - minimum) / (maximum - minimum)))
  return (
    <div class="meter">
      <span class="meter-words">
        <span>{label}</span>
        <strong class="digits">{text}</strong>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw their own, which no style reaches */}
      <span
        class={value === null ? 'meter-bar meter-unknown' : 'meter-bar'}
        role="meter"
        aria-label={label}
        aria-valuemin={minimum}
        aria-valuemax={maximum}
        aria-valuenow={value ?? minimum}
        aria-valuetext={text}
      >
        <span class={`meter-fill meter-${tone}`} style={{ inlineSize: `${share * 100}%` }} />
      </span>
    </div>
  )
}
