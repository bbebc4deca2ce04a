import type { ComponentChildren } from 'preact'
import { withUnit } from '../../format/numbers'
import { clockOf } from '../../format/times'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Field } from '../../parts/Field'
import type { Description, MealPlan } from '../../state/description'
import { t } from '../../words/words'
import { MealStrip } from './MealStrip'
import { type Meal, mealsOf, minuteOf, modeOf, perDay, type ValueAt } from './meals'
import { SettingField } from './SettingField'
import { SettingValue } from './SettingValue'
import type { Typed } from './values'

export interface MealsProps {
  plan: MealPlan
  description: Description
  /** As the form has it now. */
  valueAt: ValueAt
  typedAt: (name: string) => Typed
  /** Undefined for those who only look. */
  onType: ((name: string, typed: Typed) => void) | undefined
  disabled: boolean
  touched: (name: string) => boolean
  noteOf: (name: string) => ComponentChildren
}

/** When it feeds by itself, and how much: the meals of a day, or so much every so many minutes. */
export function Meals(properties: MealsProps) {
  const { plan, valueAt } = properties
  const mode = modeOf(plan, valueAt)
  const day = perDay(plan, valueAt)
  const words = { slots: 'device.bySlots', interval: 'device.byInterval', off: 'device.feedsNot' } as const
  const meals = mealsOf(plan, valueAt)
  return (
    <Card
      title={t('device.meals')}
      aside={
        <Badge tone={mode === undefined ? 'unknown' : mode === 'off' ? 'warning' : 'accent'} icon="meals">
          {mode ? t(words[mode]) : t('common.unknown')}
        </Badge>
      }
    >
      <p class="meals-total">
        <strong class="digits">{day === undefined ? t('common.unknown') : withUnit(day, 'g')}</strong>{' '}
        <span class="quiet">{t('device.perDay')}</span>
      </p>
      <Fields {...properties} names={[plan.enabled, plan.schedule]} />
      {meals.length > 0 && <Slots {...properties} meals={meals} rests={mode !== 'slots'} />}
      {(plan.interval || plan.portion) && (
        <section class={mode === 'interval' ? 'meals-way' : 'meals-way meals-rests'}>
          {meals.length > 0 && (
            <h3>
              {t('device.byInterval')} {mode !== 'interval' && <span class="quiet">· {t('device.rests')}</span>}
            </h3>
          )}
          <div class="fields">
            <Fields {...properties} names={[plan.portion, plan.interval]} />
          </div>
        </section>
      )}
    </Card>
  )
}

function Fields({ names, ...properties }: MealsProps & { names: readonly (string | null | undefined)[] }) {
  return <>{names.map(name => name && <One key={name} {...properties} name={name} />)}</>
}

interface OneProps extends MealsProps {
  name: string
  terse?: boolean
}

function One({ name, description, typedAt, valueAt, onType, touched, terse, disabled, noteOf }: OneProps) {
  const schema = description.properties?.[name]
  if (!schema) return null
  if (!onType) return <SettingValue name={name} schema={schema} value={valueAt(name)} note={noteOf(name)} />
  return (
    <div>
      <SettingField
        name={name}
        schema={schema}
        typed={typedAt(name)}
        disabled={disabled}
        touched={touched(name)}
        terse={terse ?? false}
        onType={typed => onType(name, typed)}
      />
      {noteOf(name)}
    </div>
  )
}

function Slots({ meals, rests, ...properties }: MealsProps & { meals: readonly Meal[]; rests: boolean }) {
  const { plan, onType, disabled, noteOf } = properties
  return (
    <section class={rests ? 'meals-way meals-rests' : 'meals-way'}>
      <h3>
        {t('device.bySlots')} {rests && <span class="quiet">· {t('device.rests')}</span>}
      </h3>
      <MealStrip
        meals={meals}
        zone={plan.time_zone ?? 'UTC'}
        disabled={disabled}
        onMove={onType && ((meal, minute) => onType(meal.minuteName, String(minute)))}
      />
      {onType && (
        <ol class="slots">
          {meals.map(meal => (
            <li key={meal.slot}>
              <fieldset>
                <legend class="unseen">{t('device.meal', { slot: meal.slot })}</legend>
                <Field
                  label={t('device.mealTime', { slot: meal.slot })}
                  type="time"
                  class="input digits"
                  value={meal.minute === undefined ? '' : clockOf(meal.minute)}
                  disabled={disabled}
                  onInput={clock => {
                    const minute = minuteOf(clock)
                    if (minute !== undefined) onType(meal.minuteName, String(minute))
                  }}
                />
                <One {...properties} name={meal.gramsName} terse />
                {noteOf(meal.minuteName)}
              </fieldset>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
