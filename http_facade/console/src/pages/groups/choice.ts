import type { Description, Schema } from '../../state/description'
import type { Device } from '../../state/devices'

/** One thing that can be asked of many devices: a setting to write, or an action. */
export interface Deed {
  /** `write portion_g` or `feed`. */
  readonly id: string
  readonly setting: string | undefined
  readonly action: string | undefined
  readonly title: string
  /** What it needs: the setting alone, or the action's arguments. */
  readonly schemas: Readonly<Record<string, Schema>>
}

export const keyOf = ({ site, device }: Pick<Device, 'site' | 'device'>) => `${site}/${device}`

/** What all these devices can be asked for, actions first. Limits may differ; the preview judges each by its own. */
export function common(descriptions: readonly Description[]): readonly Deed[] {
  const [first, ...others] = descriptions
  if (!first) return []
  const deeds = [...actionsOf(first), ...settingsOf(first)]
  return deeds.filter(({ setting, action }) =>
    others.every(each =>
      setting === undefined
        ? action !== undefined && each.actions?.[action] !== undefined
        : each.properties?.[setting]?.readOnly === false,
    ),
  )
}

function actionsOf({ actions = {} }: Description): Deed[] {
  return Object.entries(actions).map(([name, action]) => ({
    id: name,
    setting: undefined,
    action: name,
    title: action.title || name,
    schemas: action.input?.properties ?? {},
  }))
}

function settingsOf({ properties = {} }: Description): Deed[] {
  return Object.entries(properties)
    .filter(([, schema]) => schema.readOnly === false)
    .map(([name, schema]) => ({
      id: `write ${name}`,
      setting: name,
      action: undefined,
      title: schema.title || name,
      schemas: { [name]: schema },
    }))
}

/** The devices that a search means: by title, id or site. */
export function found(devices: readonly Device[], search: string): readonly Device[] {
  const wanted = search.trim().toLocaleLowerCase()
  return devices.filter(({ site, device, title }) =>
    [site, device, title, `${site}/${device}`].some(each => each.toLocaleLowerCase().includes(wanted)),
  )
}
