import './segments.css'
import { useId } from 'preact/hooks'

export interface SegmentsProps<V extends string> {
  /** What is chosen; read out, not shown. */
  label: string
  value: V
  options: readonly { readonly value: V; readonly label: string }[]
  onChange: (value: V) => void
}

/** One of two or three, all in sight. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  const name = useId()
  return (
    <fieldset class="segments">
      <legend class="unseen">{label}</legend>
      {options.map(each => (
        <label key={each.value} class="segment">
          <input
            class="unseen"
            type="radio"
            name={name}
            value={each.value}
            checked={each.value === value}
            onChange={() => onChange(each.value)}
          />
          <span>{each.label}</span>
        </label>
      ))}
    </fieldset>
  )
}
