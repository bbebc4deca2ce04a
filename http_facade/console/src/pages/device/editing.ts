import { useEffect, useState } from 'preact/hooks'
import type { Command } from '../../state/commands'
import type { Description, MealPlan, Schema } from '../../state/description'
import { type Device, readDevices } from '../../state/devices'
import { doubtsOf } from '../../state/doubts'
import { useFollowed } from '../../state/following'
import type { Closed } from '../../state/gate'
import { may } from '../../state/session'
import { ask, dismiss, isOpen, type Wish, wishAt } from '../../state/wish'
import { type Conflict, conflicts, type Difference, differences, patchOf, rebased, shown, typing } from './draft'
import { draftOf } from './drafts'
import { perDay, type ValueAt } from './meals'
import { isFault, type Typed, valueTyped } from './values'

export interface Editing {
  readonly wish: Wish | undefined
  /** Earlier writes that may have taken effect. */
  readonly doubts: readonly Command[]
  readonly changes: readonly Difference[]
  readonly conflicts: readonly Conflict[]
  /** A write is under way. */
  readonly open: boolean
  readonly disabled: boolean
  /** Everything that was typed may be written. */
  readonly sound: boolean
  /** The PLC holds other settings than those that are reported. */
  readonly awaitsReport: boolean
  /** Others have changed settings that are not typed here, and they were taken over. */
  readonly movedOn: boolean
  readonly typedAt: (name: string) => Typed
  readonly valueAt: ValueAt
  readonly touched: (name: string) => boolean
  /** Undefined for those who only look. */
  readonly type: ((name: string, typed: Typed) => void) | undefined
  readonly write: () => void
  readonly discard: () => void
  readonly keepMine: () => void
  readonly takeTheirs: () => void
  readonly dismiss: () => void
}

/** The settings of a device while they are changed: what was typed, what became of it elsewhere meanwhile, and the write. */
export function useEditing(
  device: Device,
  description: Description,
  closed: Closed | undefined,
  commands: readonly Command[] | undefined,
): Editing {
  const place = { site: device.site, device: device.device, name: 'write' }
  const store = draftOf(device.site, device.device)
  const draft = store.value
  const wish = wishAt(place).value
  const command = useFollowed(wish?.command)
  const [movedOn, setMovedOn] = useState(false)

  const open = isOpen(wish, command)
  const doubts = doubtsOf(commands, 'write')
  const changes = differences(description, draft)
  const collisions = open ? [] : conflicts(description, draft, device)
  const patch = patchOf(changes)

  // What others changed beside it is taken over, and said; what they changed under the same setting is asked.
  useEffect(() => {
    const before = store.peek()
    if (open || !before || before.base.revision === device.revision || collisions.length > 0) return
    store.value = rebased(description, before, device)
    if (store.value) setMovedOn(true)
  }, [open, device, collisions.length, description, store])
  const ended = command?.final ? command : undefined
  useEffect(() => {
    if (ended === undefined) return
    if (ended.code === 'applied') store.value = undefined
    void readDevices(ended.site)
  }, [ended?.id, store])

  const rebase = (dropped: readonly string[]) => {
    store.value = draft && rebased(description, draft, device, dropped)
  }
  return {
    wish,
    doubts,
    changes,
    conflicts: collisions,
    open,
    disabled: closed !== undefined || open || doubts.length > 0,
    sound: patch !== undefined && collisions.length === 0,
    awaitsReport: command?.code === 'expect-failed' && draft?.base.revision === device.revision,
    movedOn,
    typedAt: name => shown(draft, device, name),
    valueAt: name => {
      const schema = description.properties?.[name]
      const typed = draft?.typed.get(name)
      if (!schema || typed === undefined) return device.settings[name]
      const value = valueTyped(schema, typed)
      return isFault(value) ? undefined : value
    },
    touched: name => draft?.typed.has(name) ?? false,
    type: may('operator')
      ? (name, typed) => {
          store.value = typing(draft, device, name, typed)
        }
      : undefined,
    write: () => {
      setMovedOn(false)
      if (patch) void ask(place, patch, draft?.base.revision ?? undefined)
    },
    discard: () => {
      setMovedOn(false)
      store.value = undefined
    },
    keepMine: () => rebase([]),
    takeTheirs: () => rebase(collisions.map(each => each.name)),
    dismiss: () => dismiss(place),
  }
}

/** The writable properties that no meal plan is about, in the description's order. */
export function others({ properties = {} }: Description, plan: MealPlan | undefined): readonly [string, Schema][] {
  const inPlan = new Set<string | null | undefined>(
    plan && [plan.enabled, plan.schedule, plan.interval, plan.portion, ...(plan.slots ?? []).flatMap(Object.values)],
  )
  return Object.entries(properties).filter(([name, each]) => !each.readOnly && !inPlan.has(name))
}

/** Grams of a day before and after, where both are known and differ. */
export function dayChange(
  plan: MealPlan | undefined,
  device: Device,
  valueAt: ValueAt,
): { old: number; new: number } | undefined {
  const old = plan && perDay(plan, name => device.settings[name])
  const next = plan && perDay(plan, valueAt)
  return old === undefined || next === undefined || old === next ? undefined : { old, new: next }
}
