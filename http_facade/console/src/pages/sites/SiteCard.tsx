import { age } from '../../format/ages'
import { clockTime, shortTime } from '../../format/times'
import { Badge, type Tone } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Icon } from '../../parts/icons'
import type { Alarm } from '../../state/alarms'
import { now } from '../../state/clock'
import { isFresh, type KnownSite, onlineNow } from '../../state/sites'
import { t } from '../../words/words'
import { to } from '../routes'

/** How a site is, by the gate's word alone: what its agent said last is information, not proof. */
export function presence(site: KnownSite): { tone: Tone & ('ok' | 'critical' | 'unknown'); words: string } {
  const online = onlineNow(site)
  if (online === null) return { tone: 'unknown', words: t('sites.unknown') }
  return online ? { tone: 'ok', words: t('sites.online') } : { tone: 'critical', words: t('sites.silent') }
}

/** When it was last heard, counted on; what the gate says it is allowed to be asked. */
export function heard(site: KnownSite): string {
  const nowMs = now.value
  if (!isFresh(site)) return t('sites.lastKnown', { time: clockTime(site.knownAt), age: age(site.knownAt, nowMs) })
  if (site.online === null) return t('sites.cannotTell', { cause: site.cause ?? '' })
  if (site.heardAt === null) return t('sites.neverHeard')
  const how = age(site.heardAt, nowMs)
  if (site.online) return t('sites.heard', { age: how })
  return t('sites.silentSince', { time: shortTime(site.heardAt, nowMs), age: how })
}

/** Rows come in bursts and leave soon; more than this is a line that cannot keep up, or a pause of the centre. */
const WORTH_SAYING = 500

const WRITES = { ok: 'sites.writesPossible', critical: 'sites.writesClosed', unknown: 'sites.writesUnknown' } as const

function plcs(site: KnownSite): { words: string; lost: boolean } {
  const links = Object.entries(site.plcs)
  const lost = links.filter(([, link]) => link !== 'ok').map(([name]) => name)
  if (links.length === 0) return { words: t('sites.plcsUnknown'), lost: false }
  if (lost.length > 0) return { words: t('sites.plcsLost', { names: lost.join(', ') }), lost: true }
  // Of a silent site nobody knows whether its PLCs answer now.
  return { words: onlineNow(site) ? t('sites.plcsOk', { count: links.length }) : t('sites.plcsLast'), lost: false }
}

export function SiteCard({ site, alarms }: { site: KnownSite; alarms: readonly Alarm[] | undefined }) {
  const { tone, words } = presence(site)
  const links = plcs(site)
  const worst = alarms?.some(each => each.severity === 'critical') ? 'critical' : 'warning'
  return (
    <Card
      tone={tone}
      title={
        <a class="site-link" href={to.site(site.site)}>
          <bdi>{site.site}</bdi>
          <Icon name="next" size={18} />
        </a>
      }
      aside={<Badge tone={tone}>{words}</Badge>}
    >
      <p class="digits">{heard(site)}</p>
      <p class="site-line quiet">{t(WRITES[tone])}</p>
      <ul class="site-facts">
        <li class={links.lost ? 'site-lost' : 'quiet'}>
          <Icon name="plc" size={18} />
          {links.words}
        </li>
        {site.outbox !== null && site.outbox > WORTH_SAYING && (
          <li class="quiet">
            <Icon name="history" size={18} />
            {t('sites.outbox', { count: site.outbox })}
          </li>
        )}
        <li>
          {alarms === undefined ? (
            <span class="quiet">{t('common.unknown')}</span>
          ) : alarms.length > 0 ? (
            <Badge tone={worst} icon="alarms">
              {t('sites.alarms', { count: alarms.length })}
            </Badge>
          ) : (
            <span class="site-facts-line quiet">
              <Icon name="alarms" size={18} />
              {t('shell.noAlarms')}
            </span>
          )}
        </li>
      </ul>
    </Card>
  )
}
