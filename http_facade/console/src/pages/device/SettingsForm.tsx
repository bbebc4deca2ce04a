import { useEffect, useState } from 'preact/hooks'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Notice } from '../../parts/Notice'
import type { Command } from '../../state/commands'
import type { Description } from '../../state/description'
import { type Device, readDevices } from '../../state/devices'
import { doubtsOf } from '../../state/doubts'
import { useFollowed } from '../../state/following'
import type { Closed } from '../../state/gate'
import { may } from '../../state/session'
import { ask, dismiss, isOpen, wishAt } from '../../state/wish'
import { t } from '../../words/words'
import { Outcome } from '../commands/Outcome'
import { Conflicts } from './Conflicts'
import { Drift } from './Drift'
import { conflicts, differences, patchOf, rebased, shown, typing } from './draft'
import { draftOf } from './drafts'
import { Held } from './Held'
import { Meals } from './Meals'
import { perDay, type ValueAt } from './meals'
import { Review } from './Review'
import { SettingField } from './SettingField'
import { SettingValue } from './SettingValue'
import { isFault, valueOf } from './values'

export interface SettingsFormProps {
  device: Device
  description: Description
  closed: Closed | undefined
  commands: readonly Command[] | undefined
}

/** All settings of a device in one form: changed, looked over, written, and followed until the PLC was read equal. */
export function SettingsForm({ device, description, closed, commands }: SettingsFormProps) {
  const place = { site: device.site, device: device.device, name: 'write' }
  const store = draftOf(device.site, device.device)
  const draft = store.value
  const wish = wishAt(place).value
  const command = useFollowed(wish?.command)
  const [reviewing, setReviewing] = useState(false)
  const [movedOn, setMovedOn] = useState(false)

  const open = isOpen(wish, command)
  const doubts = doubtsOf(commands, 'write')
  const disabled = closed !== undefined || open || doubts.length > 0 || !may('operator')
  const changes = differences(description, draft)
  const collisions = open ? [] : conflicts(description, draft, device)
  const patch = patchOf(changes)

  // What others changed elsewhere in the form is taken over, and said; what they changed under the same setting is asked.
  useEffect(() => {
    const before = store.peek()
    if (open || !before || before.base.revision === device.revision || collisions.length > 0) return
    store.value = rebased(description, before, device)
    if (store.value) setMovedOn(true)
  }, [open, device.revision, collisions.length, description, store, device])
  const [ended, code] = [command?.final ? command.id : undefined, command?.code]
  useEffect(() => {
    if (ended === undefined) return
    if (code === 'applied') store.value = undefined
    void readDevices(device.site)
  }, [ended, code, store, device.site])

  const type = (name: string, typed: string | boolean) => {
    store.value = typing(draft, device, name, typed)
  }
  const touched = (name: string) => draft?.typed.has(name) ?? false
  const typedAt = (name: string) => shown(draft, device, name)
  const valueAt: ValueAt = name => {
    const schema = description.properties?.[name]
    const typed = draft?.typed.get(name)
    if (!schema || typed === undefined) return device.settings[name]
    const value = valueOf(schema, typed)
    return isFault(value) ? undefined : value
  }
  const plan = description['tidegate:meals'] ?? undefined
  const dayBefore = plan && perDay(plan, name => device.settings[name])
  const dayAfter = plan && perDay(plan, valueAt)
  const onType = may('operator') ? type : undefined
  const noteOf = (name: string) => {
    const schema = description.properties?.[name]
    return schema && <Drift device={device} name={name} schema={schema} commands={commands} />
  }
  const inPlan = new Set<string | null | undefined>(
    plan && [plan.enabled, plan.schedule, plan.interval, plan.portion, ...(plan.slots ?? []).flatMap(Object.values)],
  )
  const others = Object.entries(description.properties ?? {}).filter(([name, each]) => !each.readOnly && !inPlan.has(name))
  const waits = command?.code === 'expect-failed' && draft?.base.revision === device.revision

  return (
    <section class="settings" aria-label={t('device.settings')}>
      {collisions.length > 0 && (
        <Conflicts
          conflicts={collisions}
          onMine={() => {
            store.value = draft && rebased(description, draft, device)
          }}
          onTheirs={() => {
            store.value = draft && rebased(description, draft, device, collisions.map(each => each.name))
          }}
        />
      )}
      {wish && (
        <Outcome
          wish={wish}
          description={description}
          onClose={() => {
            dismiss(place)
            setMovedOn(false)
          }}
        />
      )}
      {waits && <Notice tone="unknown">{t('device.awaitReport')}</Notice>}
      {!open && <Held doubts={doubts} />}
      {plan && (
        <Meals
          plan={plan}
          description={description}
          valueAt={valueAt}
          typedAt={typedAt}
          onType={onType}
          disabled={disabled}
          touched={touched}
          noteOf={noteOf}
        />
      )}
      {others.length > 0 && (
        <Card title={t('device.settings')}>
          <div class="fields">
            {others.map(([name, schema]) =>
              onType ? (
                <div key={name}>
                  <SettingField
                    name={name}
                    schema={schema}
                    typed={typedAt(name)}
                    disabled={disabled}
                    touched={touched(name)}
                    onType={typed => onType(name, typed)}
                  />
                  {noteOf(name)}
                </div>
              ) : (
                <SettingValue key={name} name={name} schema={schema} value={device.settings[name]} note={noteOf(name)} />
              ),
            )}
          </div>
        </Card>
      )}
      {changes.length > 0 && (
        <div class="draft-bar" role="status">
          <span>
            <strong>{t('device.changes', { count: changes.length })}</strong>
            {!patch && <span class="draft-fault"> {t('device.faulty')}</span>}
            {movedOn && <span class="quiet"> {t('device.movedOn')}</span>}
          </span>
          <Button
            onClick={() => {
              store.value = undefined
              setMovedOn(false)
            }}
            disabled={open}
          >
            {t('device.discard')}
          </Button>
          <Button
            kind="primary"
            disabled={disabled || !patch || collisions.length > 0 || waits}
            onClick={() => setReviewing(true)}
          >
            {t('device.reviewIt')}
          </Button>
        </div>
      )}
      <Review
        open={reviewing && patch !== undefined && collisions.length === 0 && !disabled}
        changes={changes}
        perDay={
          dayBefore !== undefined && dayAfter !== undefined && dayBefore !== dayAfter
            ? { old: dayBefore, new: dayAfter }
            : undefined
        }
        onClose={() => setReviewing(false)}
        onConfirm={() => {
          setReviewing(false)
          if (patch) void ask(place, patch, draft?.base.revision ?? undefined)
        }}
      />
    </section>
  )
}
