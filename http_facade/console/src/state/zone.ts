import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { read } from '../api/client'
import { dateIn } from '../format/zoned'
import { serverNow } from './clock'

const known = new Map<string, string>()

/** A site's own time zone, as its feeders' meals have it; undefined until it was read, and of no site. UTC where none has told one. */
export function useZone(site: string | undefined): string | undefined {
  const zone = useSignal(known.get(site ?? ''))
  useEffect(() => {
    zone.value = known.get(site ?? '')
    if (zone.value || site === undefined) return
    const control = new AbortController()
    // A single day is the shortest question whose answer names the zone.
    const day = dateIn(serverNow(), 'UTC')
    read('/v1/sites/{site}/feed-totals', {
      path: { site },
      query: { from: day, to: day },
      signal: control.signal,
    }).then(
      ({ body }) => {
        known.set(site, body.zone)
        zone.value = body.zone
      },
      () => {
        // The page's own question says what is wrong; its times are shown in UTC then, and say so.
        if (!control.signal.aborted) zone.value = 'UTC'
      },
    )
    return () => control.abort()
  }, [site, zone])
  return zone.value
}
