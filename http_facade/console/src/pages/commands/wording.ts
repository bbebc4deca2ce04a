import { withUnit } from '../../format/numbers'
import { clockOf } from '../../format/times'
import { unitSign } from '../../format/units'
import type { Command } from '../../state/commands'
import type { Description, Schema, Value } from '../../state/description'
import { t } from '../../words/words'

/** A value of a described property or argument: with its unit, a meal's minute as a time, a switch as on or off, a flag that is read as yes or no. */
export function valueWords(value: Value | null | undefined, schema?: Schema): string {
  if (typeof value === 'boolean' && schema?.readOnly) return t(value ? 'common.yes' : 'common.no')
  if (typeof value === 'number' && schema?.clock) return clockOf(value)
  return withUnit(value, unitSign(schema?.unit))
}

/** The title that the description gives, or else the name itself. */
export function titleOf(name: string, schema?: { readonly title?: string | null }): string {
  return schema?.title || name
}

/** The schemas of a command's input: settings, or the arguments of its action. */
export function schemasOf(name: string, description?: Description): Readonly<Record<string, Schema>> {
  return (name === 'write' ? description?.properties : description?.actions?.[name]?.input?.properties) ?? {}
}

/** What was asked for, as `Feed now` or `Change of settings`. */
export function deedWords(name: string, description?: Description): string {
  return name === 'write' ? t('commands.write') : titleOf(name, description?.actions?.[name])
}

/** `Portion 125 g, Enabled On`; of more than a few, how many more there are. */
export function inputWords(command: Pick<Command, 'name' | 'input'>, description?: Description, most = 2): string {
  const schemas = schemasOf(command.name, description)
  const all = Object.entries(command.input)
  const parts = all
    .slice(0, most)
    .map(([name, value]) => `${titleOf(name, schemas[name])} ${valueWords(value, schemas[name])}`)
  if (all.length > most) parts.push(t('commands.more', { count: all.length - most }))
  return new Intl.ListFormat(document.documentElement.lang, { type: 'unit', style: 'short' }).format(parts)
}

/** Who asked: the person, or else the program or technician that the broker knows. */
export function whoWords({ actor, requester }: Pick<Command, 'actor' | 'requester'>): string {
  return actor ?? requester
}
