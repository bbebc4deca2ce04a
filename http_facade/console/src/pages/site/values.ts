import { withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import type { Description } from '../../state/description'
import type { Device } from '../../state/devices'
import { t } from '../../words/words'

type Value = boolean | number | string | null

export interface Shown {
  readonly name: string
  readonly title: string
  readonly text: string
}

/** What a card shows of a device: amounts and words; of yes and no the readings that are on, and settings either way. */
export function shownValues(device: Device, description: Description | undefined): readonly Shown[] {
  const readings = Object.entries(device.readings).filter(([, value]) => typeof value !== 'boolean')
  const settings = Object.entries(device.settings)
  return [...readings, ...settings].map(([name, value]) => shown(name, value, description))
}

/** Readings that are on, by their titles: the lid is open, the auger runs. */
export function shownFlags(device: Device, description: Description | undefined): readonly Shown[] {
  const on = Object.entries(device.readings).filter(([, value]) => value === true)
  return on.map(([name, value]) => shown(name, value, description))
}

/** Settings that are not what was asked for: what the PLC holds, and what was wished. */
export function drifts(device: Device, description: Description | undefined): readonly string[] {
  return device.drift.map(name => {
    const reported = shown(name, device.settings[name], description)
    const wished = shown(name, device.desired[name]?.value, description)
    return t('site.drift', { title: reported.title, reported: reported.text, wished: wished.text })
  })
}

function shown(name: string, value: Value | undefined, description: Description | undefined): Shown {
  const schema = description?.properties?.[name]
  return { name, title: schema?.title ?? name, text: withUnit(value, unitSign(schema?.unit)) }
}

export interface Trust {
  readonly tone: 'ok' | 'warning' | 'critical' | 'unknown'
  readonly words: string
  /** Why the values may not be what the PLC holds now. */
  readonly cause: string
}

/** How far the values can be trusted: by the site's own word, and by whether the site is heard at all. */
export function trust(device: Device, online: boolean | null): Trust {
  const { quality, cause } = device
  if (quality === null) return { tone: 'unknown', words: t('site.noValues'), cause: '' }
  if (quality === 'bad') return { tone: 'critical', words: t('site.bad'), cause }
  if (quality === 'stale') return { tone: 'warning', words: t('site.stale'), cause }
  if (online === null) return { tone: 'unknown', words: t('site.stale'), cause: t('site.causeUnknown') }
  if (!online) return { tone: 'warning', words: t('site.stale'), cause: t('site.causeSilent') }
  return { tone: 'ok', words: t('site.good'), cause: '' }
}
