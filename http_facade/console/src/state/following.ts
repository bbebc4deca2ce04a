import { useEffect } from 'preact/hooks'
import { read } from '../api/client'
import { type Command, latest, learn, toldCommands } from './commands'
import { connection } from './connection'
import { type Reading, useReading } from './reading'

const AGAIN_MS = 3_000
const LISTED = 30

/** A command as it is now: told by the stream, and read in between while that is cut. */
export function useFollowed(command: Command | undefined): Command | undefined {
  const live = connection.value.state === 'live'
  const current = command && latest(command)
  const id = current && !current.final && !live ? current.id : undefined
  useEffect(() => {
    if (id === undefined) return
    const timer = setInterval(() => {
      read('/v1/commands/{id}', { path: { id } }).then(
        ({ body }) => learn(body),
        // The line's own notice says that nothing is live.
        () => undefined,
      )
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }, [id])
  return current
}

export interface DeviceCommands {
  /** Newest first. */
  readonly commands: readonly Command[] | undefined
  readonly reading: Reading<unknown>
}

/** The latest commands of a device, and besides all of which nobody knows what they did. */
export function useDeviceCommands(site: string, device: string): DeviceCommands {
  const reading = useReading(
    async signal => {
      const [newest, unknown] = await Promise.all([
        read('/v1/commands', { query: { site, device, limit: LISTED }, signal }),
        read('/v1/commands', { query: { site, device, state: 'unknown', limit: LISTED }, signal }),
      ])
      return [...newest.body.items, ...unknown.body.items]
    },
    [site, device],
  )
  return { commands: reading.value && merged(reading.value, site, device), reading }
}

function merged(read: readonly Command[], site: string, device: string): readonly Command[] {
  const all = new Map(read.map(each => [each.id, latest(each)]))
  for (const each of toldCommands.value.values()) {
    if (each.site === site && each.device === device && !all.has(each.id)) all.set(each.id, each)
  }
  return [...all.values()].sort(newestFirst)
}

export function newestFirst(one: Command, other: Command): number {
  return momentOf(other) - momentOf(one) || (one.id < other.id ? 1 : -1)
}

/** When it was asked for; of a technician's command of which only the end was seen, its deadline is what is known. */
export function momentOf(command: Command): number {
  return Date.parse(command.issued_at ?? command.deadline_at)
}
