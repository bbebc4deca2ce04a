import type { KnownSite } from '../../state/sites'
import { t } from '../../words/words'

export interface Presence {
  readonly tone: 'ok' | 'critical' | 'unknown'
  readonly words: string
}

/**
 * How a site is, by the gate's word alone: what its agent said last is information, not proof. A word that is `outdated`
 * says nothing any more.
 */
export function presence(site: Pick<KnownSite, 'online'>, outdated: boolean): Presence {
  if (outdated || site.online === null) return { tone: 'unknown', words: t('sites.unknown') }
  return site.online ? { tone: 'ok', words: t('sites.online') } : { tone: 'critical', words: t('sites.silent') }
}
