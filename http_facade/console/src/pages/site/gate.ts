import { age, duration } from '../../format/ages'
import type { KnownSite } from '../../state/sites'
import { t } from '../../words/words'

export interface GateWords {
  readonly tone: 'ok' | 'critical' | 'unknown'
  /** Whether a write may pass, and until when. */
  readonly state: string
  /** What that means for whoever asks for something. */
  readonly means: string
}

/**
 * The gate at a moment, in words. `fresh` is whether what is known still holds; an open gate whose heartbeat has run out
 * since it was read is one of which nobody can tell.
 */
export function gateWords(site: KnownSite, fresh: boolean, nowMs: number): GateWords {
  const { online, heardAt } = site
  if (!fresh) {
    return {
      tone: 'unknown',
      state: t('site.notKnown', { age: age(site.knownAt, nowMs) }),
      means: t('sites.writesUnknown'),
    }
  }
  if (online === null) return { tone: 'unknown', state: t('site.cannotTell'), means: t('site.refusedUnknown') }
  if (online && heardAt !== null) {
    const leftS = Math.ceil((heardAt + site.alive_expiry_s * 1_000 - nowMs) / 1_000)
    const heard = age(heardAt, nowMs)
    return {
      tone: 'ok',
      state: leftS > 0 ? t('site.open', { age: heard, left: duration(leftS) }) : t('site.closing', { age: heard }),
      means: t('site.pass'),
    }
  }
  const state =
    heardAt === null ? t('site.neverHeard') : t('site.silent', { length: duration((nowMs - heardAt) / 1_000) })
  return { tone: 'critical', state, means: t('site.refused') }
}
