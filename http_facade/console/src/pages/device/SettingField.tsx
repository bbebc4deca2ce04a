import { number, withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import { Field } from '../../parts/Field'
import { NumberField } from '../../parts/NumberField'
import { Select } from '../../parts/Select'
import { Switch } from '../../parts/Switch'
import type { Schema } from '../../state/description'
import { t } from '../../words/words'
import { titleOf } from '../commands/wording'
import { isFault, type Typed, valueTyped } from './values'

export interface SettingFieldProps {
  name: string
  schema: Schema
  typed: Typed
  onType: (typed: Typed) => void
  disabled: boolean
  /** Whether somebody has typed here: what is merely not known yet is no mistake. */
  touched: boolean
  /** The limits are said only where they are broken. */
  terse?: boolean
  /** Beyond the description's own: of an action the site's largest dose. */
  maximum?: number | undefined
}

/** A field in the form that the description gives a value: its choices, a switch, a number with unit and limits, a text. */
export function SettingField({
  name,
  schema,
  typed,
  onType,
  disabled,
  touched,
  terse = false,
  maximum,
}: SettingFieldProps) {
  const label = titleOf(name, schema)
  const bounded = maximum === undefined ? schema : { ...schema, maximum: Math.min(maximum, schema.maximum ?? maximum) }
  const error = touched ? errorOf(bounded, typed) : undefined
  if (schema.enum) {
    const options = ['', ...schema.enum.map(String)].map(value => ({ value, label: value || t('common.unknown') }))
    const offered = String(typed) === '' ? options : options.slice(1)
    return <Select label={label} value={String(typed)} options={offered} onChange={onType} disabled={disabled} />
  }
  if (schema.type === 'boolean') {
    return <Switch label={label} checked={typed === true} onChange={onType} disabled={disabled} />
  }
  if (schema.type === 'string') {
    const longest = schema.maxLength ? { maxLength: schema.maxLength } : {}
    return <Field label={label} value={String(typed)} onInput={onType} disabled={disabled} error={error} {...longest} />
  }
  return (
    <NumberField
      label={label}
      value={String(typed)}
      onInput={onType}
      unit={unitSign(schema.unit)}
      minimum={schema.minimum ?? undefined}
      maximum={bounded.maximum ?? undefined}
      step={schema.multipleOf ?? (schema.type === 'integer' ? 1 : 0.1)}
      disabled={disabled}
      hint={terse ? undefined : limitsOf(bounded)}
      error={error}
    />
  )
}

/** `0 – 2,000 g, in steps of 5 g`. */
export function limitsOf(schema: Schema): string | undefined {
  const unit = unitSign(schema.unit)
  const { minimum: least, maximum: most, multipleOf: step } = schema
  const ends = [least, most].map(end => (typeof end === 'number' ? number(end) : ''))
  const range = typeof least === 'number' || typeof most === 'number' ? ltr(`${ends.join('–')} ${unit}`) : ''
  const steps = step && step !== 1 ? t('device.steps', { step: withUnit(step, unit) }) : ''
  return [range, steps].filter(Boolean).join(', ') || undefined
}

/** A range reads from its least to its most in every language. */
const ltr = (text: string) => `\u2066${text.trim()}\u2069`

/** What is wrong with what was typed, in words. */
export function errorOf(schema: Schema, typed: Typed): string | undefined {
  const value = valueTyped(schema, typed)
  if (!isFault(value)) return undefined
  const unit = unitSign(schema.unit)
  switch (value.fault) {
    case 'below':
      return t('device.below', { limit: withUnit(schema.minimum ?? 0, unit) })
    case 'above':
      return t('device.above', { limit: withUnit(schema.maximum ?? 0, unit) })
    case 'offStep':
      return t('device.offStep', { step: withUnit(schema.multipleOf ?? 1, unit) })
    case 'tooLong':
      return t('device.tooLong', { count: schema.maxLength ?? 0 })
    default:
      return t(`device.${value.fault}`)
  }
}
