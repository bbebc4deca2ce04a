import type { Schema, Value } from '../../state/description'

/** What a field holds: the text as it was typed, or a switch. */
export type Typed = string | boolean
export type FaultCode = 'missing' | 'notNumber' | 'notWhole' | 'below' | 'above' | 'offStep' | 'tooLong'

/** The text that a field begins with. */
export function typedOf(value: Value | null | undefined): Typed {
  return typeof value === 'boolean' ? value : value === null || value === undefined ? '' : String(value)
}

/** The value that was typed, if it keeps the description's rules; the facade and the site check them again. */
export function valueTyped(schema: Schema, typed: Typed): Value | FaultOf {
  if (schema.enum) {
    const chosen = schema.enum.find(each => String(each) === String(typed))
    return chosen === undefined ? { fault: 'missing' } : chosen
  }
  if (schema.type === 'boolean') return typed === true
  const text = String(typed)
  if (schema.type === 'string') return text.length > (schema.maxLength ?? Infinity) ? { fault: 'tooLong' } : text
  return numberOf(schema, text.trim().replace(',', '.'))
}

export interface FaultOf {
  readonly fault: FaultCode
}

export function isFault(value: Value | FaultOf): value is FaultOf {
  return typeof value === 'object'
}

function numberOf(schema: Schema, text: string): number | FaultOf {
  if (text === '') return { fault: 'missing' }
  if (!/^-?(\d+\.?\d*|\.\d+)$/.test(text)) return { fault: 'notNumber' }
  const value = Number(text)
  if (schema.type === 'integer' && !Number.isInteger(value)) return { fault: 'notWhole' }
  if (value < (schema.minimum ?? -Infinity)) return { fault: 'below' }
  if (value > (schema.maximum ?? Infinity)) return { fault: 'above' }
  const steps = value / (schema.multipleOf ?? 1)
  // As the site does it in decimals: the float 0.3 is no multiple of the float 0.1.
  if (schema.multipleOf && Math.abs(steps - Math.round(steps)) > 1e-6) return { fault: 'offStep' }
  return value
}
