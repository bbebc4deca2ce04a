import './dose.css'
import { useEffect, useState } from 'preact/hooks'
import { duration } from '../../format/ages'
import { withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { HoldButton } from '../../parts/HoldButton'
import { now } from '../../state/clock'
import type { Command } from '../../state/commands'
import type { Action, Description, Value } from '../../state/description'
import type { Device } from '../../state/devices'
import { doubtsOf } from '../../state/doubts'
import { useFollowed } from '../../state/following'
import type { Closed } from '../../state/gate'
import { may } from '../../state/session'
import { ask, dismiss, isOpen, type Place, wishAt } from '../../state/wish'
import { t } from '../../words/words'
import { Outcome } from '../commands/Outcome'
import { unitOf } from '../commands/Results'
import { titleOf } from '../commands/wording'
import { Held } from '../device/Held'
import { SettingField } from '../device/SettingField'
import { isFault, type Typed, valueTyped } from '../device/values'
import { Interlocks } from './Interlocks'
import { type Allowance, gapS, Limits, useAllowance } from './Limits'
import { presets } from './presets'

export interface ActionCardProps {
  device: Device
  description: Description
  name: string
  action: Action
  closed: Closed | undefined
  commands: readonly Command[] | undefined
}

/** A thing to do once, such as a dose: how much, within which limits, and then what really happened. */
export function ActionCard({ device, description, name, action, closed, commands }: ActionCardProps) {
  const place = { site: device.site, device: device.device, name }
  const wish = wishAt(place).value
  const command = useFollowed(wish?.command)
  const doubts = doubtsOf(commands, name)
  const open = isOpen(wish, command)
  const title = titleOf(name, action)
  const moved = (commands ?? []).filter(each => each.name === name).map(each => `${each.id}${each.state}`)
  const allowance = useAllowance(place, moved.join())
  return (
    <Card title={title}>
      {wish && <Outcome wish={wish} description={description} onClose={() => dismiss(place)} />}
      {!open && <Held doubts={doubts} told={wish?.command?.id === doubts[0]?.id} />}
      {may('operator') && (
        <Form
          place={place}
          action={action}
          title={title}
          device={device}
          allowance={allowance.value}
          served={command?.state === 'applied' || command?.state === 'partial' ? command.id : undefined}
          disabled={closed !== undefined || open || doubts.length > 0}
        />
      )}
      <Limits allowance={allowance} unit={unitOf(name, description)} />
      <Interlocks device={device} description={description} action={action} />
    </Card>
  )
}

interface FormProps {
  place: Place
  action: Action
  title: string
  device: Device
  allowance: Allowance | undefined
  /** The command that has done what was asked for here last. */
  served: string | undefined
  disabled: boolean
}

function Form({ place, action, title, device, allowance, served, disabled }: FormProps) {
  const schemas = action.input?.properties ?? {}
  const counted = action['tidegate:argument'] ?? undefined
  const largest = action['tidegate:limits']?.largest
  const [typed, setTyped] = useState<Readonly<Record<string, Typed>>>({})
  // The next dose is a decision of its own, and so is its amount.
  useEffect(() => {
    if (served !== undefined) setTyped({})
  }, [served])
  const waitS = gapS(allowance, now.value)
  const typedAt = (argument: string) => typed[argument] ?? (schemas[argument]?.type === 'boolean' ? false : '')
  const type = (argument: string, value: Typed) => setTyped({ ...typed, [argument]: value })
  const input = inputOf(action, typedAt)
  const amount = counted && input?.[counted]
  const unit = counted ? unitSign(schemas[counted]?.unit) : ''
  return (
    <div class="dose">
      {Object.entries(schemas).map(([argument, schema]) => (
        <div key={argument} class="dose-argument">
          <SettingField
            name={argument}
            schema={schema}
            typed={typedAt(argument)}
            onType={value => type(argument, value)}
            disabled={disabled}
            touched={argument in typed}
            maximum={argument === counted ? largest : undefined}
          />
          {argument === counted && (
            <fieldset class="dose-presets" aria-label={t('dose.presets')}>
              {presets(schema, largest).map(each => (
                <Button
                  key={each}
                  disabled={disabled}
                  aria-pressed={amount === each}
                  onClick={() => type(argument, String(each))}
                >
                  {withUnit(each, unit)}
                </Button>
              ))}
            </fieldset>
          )}
        </div>
      ))}
      <HoldButton
        icon="feed"
        disabled={disabled || input === undefined || waitS > 0}
        onConfirm={() => {
          if (input) void ask(place, input)
        }}
      >
        {typeof amount === 'number' ? `${title}: ${withUnit(amount, unit)}` : title}
      </HoldButton>
      {waitS > 0 && !disabled && (
        <p class="dose-wait digits" aria-live="off">
          {t('dose.waitFor', { time: duration(waitS) })}
        </p>
      )}
      <p class="quiet dose-where">{t('dose.where', { device: device.title, site: device.site })}</p>
    </div>
  )
}

/** The arguments, or undefined while one of them breaks a rule. */
export function inputOf(action: Action, typedAt: (argument: string) => Typed): Record<string, Value> | undefined {
  const input: Record<string, Value> = {}
  for (const [argument, schema] of Object.entries(action.input?.properties ?? {})) {
    const value = valueTyped(schema, typedAt(argument))
    if (isFault(value)) return undefined
    if (argument === action['tidegate:argument'] && Number(value) > (action['tidegate:limits']?.largest ?? Infinity))
      return undefined
    input[argument] = value
  }
  return input
}
