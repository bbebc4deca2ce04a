import './feed.css'
import { useState } from 'preact/hooks'
import { number } from '../../format/numbers'
import { unitSign } from '../../format/units'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { HoldButton } from '../../parts/HoldButton'
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
import { titleOf } from '../commands/wording'
import { Held } from '../device/Held'
import { SettingField } from '../device/SettingField'
import { isFault, type Typed, typedOf, valueOf } from '../device/values'
import { Interlocks } from './Interlocks'
import { Limits, useGap } from './Limits'
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
  return (
    <Card title={title}>
      {wish && <Outcome wish={wish} description={description} onClose={() => dismiss(place)} />}
      {!open && wish?.command?.id !== doubts[0]?.id && <Held doubts={doubts} />}
      {may('operator') && (
        <Form
          place={place}
          action={action}
          title={title}
          device={device}
          disabled={closed !== undefined || open || doubts.length > 0}
        />
      )}
      <Limits place={place} action={action} commands={commands} />
      <Interlocks device={device} description={description} action={action} />
    </Card>
  )
}

interface FormProps {
  place: Place
  action: Action
  title: string
  device: Device
  disabled: boolean
}

function Form({ place, action, title, device, disabled }: FormProps) {
  const schemas = action.input?.properties ?? {}
  const counted = action['tidegate:argument'] ?? undefined
  const largest = action['tidegate:limits']?.largest
  const [typed, setTyped] = useState<Readonly<Record<string, Typed>>>({})
  const gap = useGap(place, action)
  const typedAt = (argument: string) => typed[argument] ?? typedOf(schemas[argument]?.minimum)
  const type = (argument: string, value: Typed) => setTyped({ ...typed, [argument]: value })
  const input = inputOf(action, typedAt)
  const amount = counted && input?.[counted]
  const unit = counted ? unitSign(schemas[counted]?.unit) : ''
  return (
    <div class="feed">
      {Object.entries(schemas).map(([argument, schema]) => (
        <div key={argument} class="feed-argument">
          <SettingField
            name={argument}
            schema={schema}
            typed={typedAt(argument)}
            onType={value => type(argument, value)}
            disabled={disabled}
            maximum={argument === counted ? largest : undefined}
          />
          {argument === counted && (
            <div class="feed-presets" role="group" aria-label={t('feed.presets')}>
              {presets(schema, largest).map(each => (
                <Button
                  key={each}
                  disabled={disabled}
                  aria-pressed={amount === each}
                  onClick={() => type(argument, String(each))}
                >
                  {number(each)} {unit}
                </Button>
              ))}
            </div>
          )}
        </div>
      ))}
      <HoldButton
        icon="feed"
        disabled={disabled || input === undefined || gap > 0}
        onConfirm={() => {
          if (input) void ask(place, input)
        }}
      >
        {typeof amount === 'number' ? `${title}: ${number(amount)}\u00a0${unit}` : title}
      </HoldButton>
      <p class="quiet feed-where">{t('feed.where', { device: device.title, site: device.site })}</p>
    </div>
  )
}

/** The arguments, or undefined while one of them breaks a rule. */
export function inputOf(action: Action, typedAt: (argument: string) => Typed): Record<string, Value> | undefined {
  const input: Record<string, Value> = {}
  for (const [argument, schema] of Object.entries(action.input?.properties ?? {})) {
    const value = valueOf(schema, typedAt(argument))
    if (isFault(value)) return undefined
    if (argument === action['tidegate:argument'] && value > (action['tidegate:limits']?.largest ?? Infinity)) return undefined
    input[argument] = value
  }
  return input
}
