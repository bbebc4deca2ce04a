import { t } from '../../words/words'

export interface Presence {
  readonly tone: 'ok' | 'critical' | 'unknown'
  readonly words: string
}

/**
 * How a site is, by the gate's word alone: what its agent said last is information, not proof. Null where nobody can
 * tell, or nobody has told for too long.
 */
export function presence(online: boolean | null): Presence {
  if (online === null) return { tone: 'unknown', words: t('sites.unknown') }
  return online ? { tone: 'ok', words: t('sites.online') } : { tone: 'critical', words: t('sites.silent') }
}
