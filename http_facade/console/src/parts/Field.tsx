import './field.css'
import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import { Icon } from './icons'

export interface Labelled {
  label: string
  hint?: string | undefined
  /** What is wrong, in words; the field is marked, and the words are read out with it. */
  error?: string | undefined
}

interface Described {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean | undefined
}

/** A label above any control, a hint and an error below; the control gets what ties it to them. */
export function Labelling({
  label,
  hint,
  error,
  children,
}: Labelled & { children: (ties: Described) => ComponentChildren }) {
  const id = useId()
  const notes = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': notes || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="critical" size={16} />
          {error}
        </p>
      )}
    </div>
  )
}

export interface FieldProps extends Labelled, Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label' | 'onInput'> {
  value: string
  onInput: (value: string) => void
}

/** A line of text. */
export function Field({ label, hint, error, onInput, ...rest }: FieldProps) {
  return (
    <Labelling label={label} hint={hint} error={error}>
      {ties => <input class="input" {...rest} {...ties} onInput={event => onInput(event.currentTarget.value)} />}
    </Labelling>
  )
}
