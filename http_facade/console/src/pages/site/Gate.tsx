import type { ComponentChildren } from 'preact'
import { shortTime } from '../../format/times'
import { Badge } from '../../parts/Badge'
import { Icon, type IconName } from '../../parts/icons'
import { now, serverNow } from '../../state/clock'
import { zoneOf } from '../../state/overview'
import { isFresh, type KnownSite, onlineNow } from '../../state/sites'
import { t } from '../../words/words'
import { gateWords } from './gate'

const ICONS: Record<'ok' | 'critical' | 'unknown', IconName> = { ok: 'ok', critical: 'offline', unknown: 'unknown' }

/** Whether commands may pass now, and what the site says of itself. */
export function Gate({ site }: { site: KnownSite }) {
  const { tone, state, means } = gateWords(site, isFresh(site), now.value)
  return (
    <section class={`gate gate-${tone}`} aria-label={t('site.gate')}>
      <div class="gate-state">
        <Icon name={ICONS[tone]} size={32} />
        <div>
          {/* Read out when it changes, not every second that it counts. */}
          <p class="unseen" role="status">
            {means}
          </p>
          <p class="gate-words digits">{state}</p>
          <p class="gate-means" aria-hidden="true">
            {means}
          </p>
          {site.cause && (
            <p class="notice-code" dir="ltr">
              {site.cause}
            </p>
          )}
        </div>
      </div>
      <Facts site={site} />
    </section>
  )
}

function Facts({ site }: { site: KnownSite }) {
  const { state, since, reason, version, outbox } = site
  const saidAt = since === null ? '' : shortTime(since, serverNow(), zoneOf(site.site))
  return (
    <dl class="facts">
      <Fact head={t('site.plcs')}>
        <Plcs site={site} />
      </Fact>
      <Fact head={t('site.agent')}>
        <bdi>{version ?? t('common.unknown')}</bdi>
        {state && (
          <span class="quiet digits">
            {t(`site.state-${state}`, { time: saidAt })}
            {reason && ` (${reason})`}
          </span>
        )}
      </Fact>
      <Fact head={t('site.outbox')}>
        <span class="digits">{outbox === null ? t('common.unknown') : t('site.rows', { count: outbox })}</span>
        <span class="quiet">{outbox === 0 ? t('site.outboxEmpty') : t('site.outboxHint')}</span>
      </Fact>
    </dl>
  )
}

function Fact({ head, children }: { head: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{head}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Each link by its name; of a site that is not heard they are what was said last. */
function Plcs({ site }: { site: KnownSite }) {
  const links = Object.entries(site.plcs)
  const live = onlineNow(site) === true
  if (links.length === 0) return <>{t('sites.plcsUnknown')}</>
  return (
    <>
      <ul class="plcs">
        {links.map(([name, link]) => (
          <li key={name}>
            <Badge tone={link !== 'ok' ? 'critical' : live ? 'ok' : 'unknown'} icon="plc">
              <span>
                <bdi>{name}</bdi>: {t(link === 'ok' ? 'site.plcOk' : 'site.plcLost')}
              </span>
            </Badge>
          </li>
        ))}
      </ul>
      {!live && <span class="quiet">{t('sites.plcsLast')}</span>}
    </>
  )
}
