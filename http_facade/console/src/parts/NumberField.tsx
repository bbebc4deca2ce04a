import { t } from '../words/words'
import { Button } from './Button'
import { type Labelled, Labelling } from './Field'

export interface NumberFieldProps extends Labelled {
  /** As it was typed, so that a half-written number is not lost; {@link parsed} reads it. */
  value: string
  onInput: (value: string) => void
  unit?: string | undefined
  minimum?: number | undefined
  maximum?: number | undefined
  step?: number | undefined
  disabled?: boolean
}

/** The number that was typed, with a point or a comma; undefined if it is none. */
export function parsed(value: string): number | undefined {
  const text = value.trim().replace(',', '.')
  return /^-?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined
}

/** A number with its unit, and a button on each side for gloves and thumbs. */
export function NumberField({
  unit,
  minimum,
  maximum,
  step = 1,
  disabled = false,
  value,
  onInput,
  ...labels
}: NumberFieldProps) {
  const moved = (by: number) => {
    const places = Math.max(0, -Math.floor(Math.log10(step)))
    const next = (parsed(value) ?? minimum ?? 0) + by
    onInput(Math.min(Math.max(next, minimum ?? -Infinity), maximum ?? Infinity).toFixed(places))
  }
  return (
    <Labelling {...labels}>
      {ties => (
        <div class="number">
          <Button
            icon="minus"
            aria-label={`${t('common.decrease')}: ${labels.label}`}
            disabled={disabled}
            onClick={() => moved(-step)}
          />
          <span class="number-input">
            <input
              class="input"
              {...ties}
              inputMode="decimal"
              autocomplete="off"
              disabled={disabled}
              value={value}
              onInput={event => onInput(event.currentTarget.value)}
            />
            {unit && <span class="number-unit">{unit}</span>}
          </span>
          <Button
            icon="plus"
            aria-label={`${t('common.increase')}: ${labels.label}`}
            disabled={disabled}
            onClick={() => moved(step)}
          />
        </div>
      )}
    </Labelling>
  )
}
