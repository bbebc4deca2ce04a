import { useMemo } from 'preact/hooks'
import { clockTime, shortTime } from '../../format/times'
import { Age } from '../../parts/Age'
import { Badge } from '../../parts/Badge'
import { FedBar } from '../../parts/FedBar'
import { Icon } from '../../parts/icons'
import { serverNow } from '../../state/clock'
import { fedAsOf, type Today, zoneOf } from '../../state/overview'
import type { KnownSite } from '../../state/sites'
import { language, t } from '../../words/words'
import { to } from '../routes'
import { badgeOf, type Need, toneOf } from './needs'
import type { Presence } from './presence'

export interface SiteRowProps {
  site: KnownSite
  how: Presence
  needs: readonly Need[]
  today: Today | undefined
}

/** A site in the list. Of hundreds each is drawn anew only where something of its own has changed. */
export function SiteRow({ site, how, needs, today }: SiteRowProps) {
  const { fed = null } = today ?? {}
  const badges = needs.map(each => badgeOf(each, site)).filter(each => each !== null)
  const unknown = fedAsOf.value === null
  const shown = JSON.stringify([site.site, how, badges, fed, unknown, language()])
  // `shown` is all that it is made of.
  const steady = useMemo(
    () => (
      <>
        <a class="site-link" href={to.site(site.site)}>
          <bdi>{site.site}</bdi>
        </a>
        <Badge tone={how.tone}>{how.words}</Badge>
        <ul class="site-needs">
          {badges.map(({ tone, icon, words }) => (
            <li key={words}>
              <Badge tone={tone} icon={icon}>
                {words}
              </Badge>
            </li>
          ))}
        </ul>
        <div class="site-fed">
          {fed ? (
            <FedBar fed={fed} label={t('sites.fedToday', { site: site.site })} />
          ) : (
            <p class="quiet">{t(unknown ? 'sites.fedUnknown' : 'sites.fedNoFeeders')}</p>
          )}
        </div>
        <Icon name="next" size={18} />
      </>
    ),
    [shown],
  )
  return (
    <li class={`site site-${toneOf(needs)}`}>
      {steady}
      <p class="site-heard quiet digits">
        <Heard site={site} how={how} />
      </p>
    </li>
  )
}

/** When it was last heard; of a silent one since when, in its own time. */
export function Heard({ site, how }: { site: KnownSite; how: Presence }) {
  if (site.heardAt === null) return <>{t('sites.neverHeard')}</>
  const time = shortTime(site.heardAt, serverNow(), zoneOf(site.site))
  const words = {
    ok: (age: string) => t('sites.heard', { age }),
    critical: (age: string) => t('sites.silentSince', { time, age }),
    unknown: (age: string) => t('sites.lastHeard', { age }),
  }
  if (how.tone === 'unknown' && site.online !== null) {
    const known = clockTime(site.knownAt, zoneOf(site.site))
    return <Age of={site.knownAt} words={age => t('sites.lastKnown', { time: known, age })} />
  }
  return <Age of={site.heardAt} words={words[how.tone]} />
}
