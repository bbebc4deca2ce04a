import type { Tone } from '../../parts/Badge'
import type { IconName } from '../../parts/icons'
import { type Alarm, isMissedMeal } from '../../state/alarms'
import type { Fed } from '../../state/overview'
import type { KnownSite } from '../../state/sites'
import { t } from '../../words/words'

/** Why a site needs somebody; the first ones most. */
const KINDS = ['missed', 'critical', 'silent', 'unknown', 'plc', 'warning', 'short', 'seen'] as const
export type Kind = (typeof KINDS)[number]
export interface Need {
  readonly kind: Kind
  /** Alarms or PLCs. */
  readonly count: number
}

/** A meal that is under way is due and has not fallen yet; below this share of what is due nobody needs to come. */
const SHORT_SHARE = 0.1

/** What somebody should see to at a site, most urgent first; `seen` are critical alarms that somebody has taken note of. */
export function needsOf(site: KnownSite, alarms: readonly Alarm[], fed: Fed | null, online = site.online): Need[] {
  const open = alarms.filter(each => !each.acknowledged)
  const counts: Record<Kind, number> = {
    missed: open.filter(isMissedMeal).length,
    critical: open.filter(each => each.severity === 'critical' && !isMissedMeal(each)).length,
    silent: Number(online === false),
    unknown: Number(online === null),
    plc: lostPlcs(site).length,
    warning: open.filter(each => each.severity === 'warning' && !isMissedMeal(each)).length,
    short: Number(fed !== null && isShort(fed)),
    seen: alarms.filter(each => each.acknowledged && each.severity === 'critical').length,
  }
  return KINDS.filter(kind => counts[kind] > 0).map(kind => ({ kind, count: counts[kind] }))
}

/** How soon a site with these needs comes; one without comes last. */
export function rankOf(needs: readonly Need[]): number {
  const [first] = needs
  return first ? KINDS.indexOf(first.kind) : KINDS.length
}

export function isShort({ shortfall_g, due_g, asked_g }: Fed): boolean {
  return shortfall_g !== null && shortfall_g > SHORT_SHARE * ((due_g ?? 0) + asked_g)
}

/** The PLCs that do not answer, as far as the site's last word goes. */
export function lostPlcs({ plcs }: KnownSite): string[] {
  return Object.keys(plcs).filter(name => plcs[name] !== 'ok')
}

const LOOKS: Record<Kind, { tone: Tone; icon: IconName }> = {
  silent: { tone: 'critical', icon: 'offline' },
  unknown: { tone: 'unknown', icon: 'unknown' },
  missed: { tone: 'critical', icon: 'feed' },
  critical: { tone: 'critical', icon: 'alarms' },
  plc: { tone: 'critical', icon: 'plc' },
  warning: { tone: 'warning', icon: 'alarms' },
  short: { tone: 'warning', icon: 'feed' },
  seen: { tone: 'unknown', icon: 'ok' },
}

/** Of the most urgent one; a site that needs nobody is well. */
export function toneOf([first]: readonly Need[]): Tone {
  return first ? LOOKS[first.kind].tone : 'ok'
}

/** A need as a badge; that a site is silent or unknown says its own. */
export function badgeOf({ kind, count }: Need, site: KnownSite): { tone: Tone; icon: IconName; words: string } | null {
  if (kind === 'silent' || kind === 'unknown') return null
  const words = {
    missed: () => t('sites.missedMeals', { count }),
    critical: () => t('sites.criticalAlarms', { count }),
    plc: () => t('sites.plcsLost', { names: lostPlcs(site).join(', ') }),
    warning: () => t('sites.warnings', { count }),
    short: () => t('sites.fedShort'),
    seen: () => t('sites.seenAlarms', { count }),
  }
  return { ...LOOKS[kind], words: words[kind]() }
}
