import { unitSign } from '../../format/units'
import type { Schema } from '../../state/description'
import type { Line } from './course'

/** So many lines are told apart by colour and stroke; more nobody reads. */
export const MOST_LINES = 6
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [12, 4]]

/** How a property looks in the chart, and in whatever explains the chart. */
export interface Look {
  readonly property: string
  readonly title: string
  readonly unit: string
  readonly kind: Line['kind']
  readonly words: readonly string[]
  /** Lines of one scale share an axis. */
  readonly scale: string
  readonly place: number
  readonly colour: string
  readonly dash: readonly number[]
}

export function lookOf(line: Line, schema: Schema | undefined, place: number, colours: readonly string[]): Look {
  const unit = line.kind === 'number' ? unitSign(schema?.unit) : ''
  const scale =
    line.kind === 'number' ? `in ${unit}` : line.kind === 'boolean' ? 'on or off' : `words of ${line.property}`
  return {
    property: line.property,
    title: schema?.title ?? line.property,
    unit,
    kind: line.kind,
    words: line.words,
    scale,
    place,
    colour: colours[place] ?? 'currentColor',
    dash: DASHES[place] ?? [],
  }
}

/** The colours that the theme has now, as the canvas needs them. */
export function inks(): { series: string[]; text: string; quiet: string; line: string; surface: string; font: string } {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    series: Array.from({ length: MOST_LINES }, (_, index) => of(`--series-${index + 1}`)),
    text: of('--text'),
    quiet: of('--text-quiet'),
    line: of('--line'),
    surface: of('--surface'),
    font: of('--font'),
  }
}
export type Inks = ReturnType<typeof inks>
