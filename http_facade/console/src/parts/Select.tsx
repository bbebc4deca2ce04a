import { type Labelled, Labelling } from './Field'

export interface SelectProps<V extends string> extends Labelled {
  value: V
  options: readonly { readonly value: V; readonly label: string }[]
  onChange: (value: V) => void
  disabled?: boolean
}

/** One of a few. */
export function Select<V extends string>({ value, options, onChange, disabled = false, ...labels }: SelectProps<V>) {
  return (
    <Labelling {...labels}>
      {ties => (
        <select
          class="input"
          {...ties}
          disabled={disabled}
          value={value}
          onChange={event => onChange(event.currentTarget.value as V)}
        >
          {options.map(each => (
            <option key={each.value} value={each.value}>
              {each.label}
            </option>
          ))}
        </select>
      )}
    </Labelling>
  )
}
