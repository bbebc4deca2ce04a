import { duration } from '../../format/ages'
import { withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import type { Command } from '../../state/commands'
import type { Description, Schema, Value } from '../../state/description'
import { t } from '../../words/words'
import { schemasOf, titleOf, valueWords } from './wording'

/** What was asked, and by the site's word what there was: read back, counted, or what forbade it. */
export function Results({ command, description }: { command: Command; description?: Description | undefined }) {
  const schemas = schemasOf(command.name, description)
  const rows =
    command.code === 'limit-exceeded' || command.code === 'interlocked'
      ? [...asked(command, schemas), ...forbidden(command, description)]
      : 'grams_counted' in command.result
        ? counted(command)
        : compared(command, schemas)
  return (
    <dl class="results">
      {rows.map(({ name, value, odd }) => (
        <div key={name} class={odd ? 'results-odd' : undefined}>
          <dt>{name}</dt>
          <dd class="digits">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

interface Row {
  readonly name: string
  readonly value: string
  readonly odd?: boolean
}
type Schemas = Readonly<Record<string, Schema>>

function asked({ input }: Command, schemas: Schemas): Row[] {
  return Object.entries(input).map(([name, value]) => ({
    name: titleOf(name, schemas[name]),
    value: valueWords(value, schemas[name]),
  }))
}

/** A setting with what was read back after the write. */
function compared(command: Command, schemas: Schemas): Row[] {
  return Object.entries(command.input).map(([name, value]) => {
    const words = valueWords(value, schemas[name])
    const back = command.result[name]
    if (back === undefined) return { name: titleOf(name, schemas[name]), value: words }
    const read = t('commands.readBack', { value: valueWords(back, schemas[name]) })
    return { name: titleOf(name, schemas[name]), value: `${words} · ${read}`, odd: back !== value }
  })
}

function counted({ result }: Command): Row[] {
  const asked = Number(result.grams_asked)
  const fell = Number(result.grams_counted)
  return [
    { name: t('dose.asked'), value: grams(asked) },
    { name: t('dose.counted'), value: grams(fell), odd: fell !== asked },
    ...(fell < asked ? [{ name: t('dose.short'), value: grams(asked - fell), odd: true }] : []),
  ]
}

function forbidden({ code, result, name }: Command, description?: Description): Row[] {
  if (code === 'interlocked') {
    const found = description?.actions?.[name]?.['tidegate:interlocks']?.find(each => each.name === result.interlock)
    const schema = found && description?.properties?.[found.property]
    return [
      { name: t('dose.interlock'), value: titleOf(String(result.interlock), found) },
      {
        name: titleOf(found?.property ?? '', schema) || t('dose.live'),
        value: valueWords(result.live, schema),
        odd: true,
      },
    ]
  }
  const limit = String(result.limit)
  const words = (value: Value | null | undefined) => limitWords(limit, value, unitOf(name, description))
  return [
    { name: limitName(limit), value: words(result.allowed) },
    { name: limit === 'least_gap_s' ? t('dose.sinceLast') : t('dose.soFar'), value: words(result.live), odd: true },
  ]
}

/** The unit of what an action's limits count. */
export function unitOf(action: string, description?: Description): string {
  const found = description?.actions?.[action]
  const counted = found?.['tidegate:argument']
  return unitSign(counted ? found?.input?.properties?.[counted]?.unit : undefined)
}

export function limitName(limit: string): string {
  const names = { largest: 'dose.largest', least_gap_s: 'dose.leastGap', most_per_day: 'dose.mostPerDay' } as const
  return limit in names ? t(names[limit as keyof typeof names]) : limit
}

export function limitWords(limit: string, value: Value | null | undefined, unit: string): string {
  if (typeof value !== 'number') return t('common.unknown')
  return limit === 'least_gap_s' ? duration(value) : withUnit(value, unit)
}

const grams = (value: number) => withUnit(value, 'g')
