import './segments.css'

export interface SegmentsProps<V extends string> {
  /** What is chosen; read out, not shown. */
  label: string
  /** Undefined where none of them is in force. */
  value: V | undefined
  options: readonly { readonly value: V; readonly label: string }[]
  onChange: (value: V) => void
}

/** One of a few that all stand there. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  return (
    <fieldset class="segments">
      <legend class="unseen">{label}</legend>
      {options.map(each => (
        <button
          key={each.value}
          type="button"
          class="segment"
          aria-pressed={each.value === value}
          onClick={() => onChange(each.value)}
        >
          {each.label}
        </button>
      ))}
    </fieldset>
  )
}
