import { effect, type ReadonlySignal, signal } from '@preact/signals'
import { read } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import type { components } from '../api/schema'
import type { DeviceState } from '../api/stream'
import { epoch, onTold } from './connection'
import { session } from './session'

export type Device = components['schemas']['Device']

export interface SiteDevices {
  /** By id; undefined until they were read once. */
  readonly devices: ReadonlyMap<string, Device> | undefined
  readonly problem: Problem | undefined
}

/** What is asked for while answers are on their way is asked for once more, not many times. */
const AGAIN_MS = 400
const stores = new Map<string, ReturnType<typeof signal<SiteDevices>>>()
const timers = new Map<string, ReturnType<typeof setTimeout>>()

/** The devices of a site; read at the first use, and live from then on. `at` says how old the values are. */
export function devicesOf(site: string): ReadonlySignal<SiteDevices> {
  const found = stores.get(site)
  if (found) return found as ReadonlySignal<SiteDevices>
  const made = signal<SiteDevices>({ devices: undefined, problem: undefined })
  stores.set(site, made as never)
  queueMicrotask(() => void readDevices(site))
  return made
}

export async function readDevices(site: string): Promise<void> {
  const store = stores.get(site)
  if (!store) return
  try {
    const { body } = await read('/v1/sites/{site}/devices', { path: { site } })
    store.value = { devices: new Map(body.items.map(each => [each.device, each])), problem: undefined }
  } catch (error) {
    store.value = { devices: store.value?.devices, problem: asProblem(error) }
  }
}

function readSoon(site: string): void {
  if (!stores.has(site) || timers.has(site)) return
  timers.set(
    site,
    setTimeout(() => {
      timers.delete(site)
      void readDevices(site)
    }, AGAIN_MS),
  )
}

/** A device with the values that were told. What is wished and where it differs is not in there, so it is read again. */
export function withState(device: Device, told: DeviceState): { device: Device; settled: boolean } {
  const settings: Device['settings'] = {}
  const readings: Device['readings'] = {}
  let settled = true
  for (const [name, value] of Object.entries(told.properties)) {
    if (name in device.settings) {
      settings[name] = value
      settled &&= device.settings[name] === value
    } else readings[name] = value
  }
  const { at, quality, cause, revision } = told
  const sameNames = Object.keys(settings).length === Object.keys(device.settings).length
  return { device: { ...device, at, quality, cause, revision, settings, readings }, settled: settled && sameNames }
}

onTold('state', told => {
  const store = stores.get(told.site)
  const known = store?.value?.devices
  if (!store || !known) return
  const before = told.device === undefined ? undefined : known.get(told.device)
  if ('gone' in told || !before) {
    readSoon(told.site)
    return
  }
  const { device, settled } = withState(before, told)
  store.value = { devices: new Map(known).set(told.device, device), problem: undefined }
  if (!settled) readSoon(told.site)
})

// A command changes what is wished.
onTold('command', told => readSoon(told.site))

effect(() => {
  epoch.value
  if (session.value) for (const site of stores.keys()) void readDevices(site)
  else stores.clear()
})
