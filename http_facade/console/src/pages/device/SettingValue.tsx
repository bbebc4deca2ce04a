import type { ComponentChildren } from 'preact'
import type { Schema, Value } from '../../state/description'
import { titleOf, valueWords } from '../commands/wording'

/** A setting for those who may only look. */
export function SettingValue({
  name,
  schema,
  value,
  note,
}: {
  name: string
  schema: Schema
  value: Value | null | undefined
  note: ComponentChildren
}) {
  return (
    <div class="setting-value">
      <span class="quiet">{titleOf(name, schema)}</span>
      <strong class="digits">{valueWords(value, schema)}</strong>
      {note}
    </div>
  )
}
