import './sites.css'
import { Card } from '../../parts/Card'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { alarms } from '../../state/alarms'
import { connection } from '../../state/connection'
import { type KnownSite, onlineNow, readSites, sites, sitesProblem } from '../../state/sites'
import { t } from '../../words/words'
import { SiteCard } from './SiteCard'

/** Every site that the signed-in person may see: those that need somebody first. */
export default function Sites() {
  const known =
    sites.value && [...sites.value.values()].sort((one, other) => rank(one) - rank(other) || order(one, other))
  // While the line is cut the notice above says so already.
  const problem = connection.value.state === 'live' || known === undefined ? sitesProblem.value : undefined
  return (
    <Page title={t('sites.title')} lead={known?.length ? summary(known) : '\u00a0'}>
      {problem && <ProblemNotice problem={problem} again={() => void readSites()} />}
      {known === undefined && !problem && (
        <div class="sites">
          {[1, 2, 3].map(each => (
            <Card key={each}>
              <Skeleton lines={4} />
            </Card>
          ))}
        </div>
      )}
      {known?.length === 0 && (
        <Notice tone="accent">
          <p>
            <strong>{t('sites.none')}</strong>
          </p>
          <p>{t('sites.noneHint')}</p>
        </Notice>
      )}
      {known && known.length > 0 && (
        <ul class="sites">
          {known.map(each => (
            <li key={each.site}>
              <SiteCard site={each} alarms={alarms.value?.filter(alarm => alarm.site === each.site)} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  )
}

function summary(known: readonly KnownSite[]): string {
  const states = known.map(onlineNow)
  const [online, unknown] = [true, null].map(wanted => states.filter(each => each === wanted).length) as [
    number,
    number,
  ]
  const all = known.length
  return unknown ? t('sites.summaryUnknown', { online, all, unknown }) : t('sites.summaryOnline', { online, all })
}

const rank = (site: KnownSite) => [false, null, true].indexOf(onlineNow(site))
const order = (one: KnownSite, other: KnownSite) => one.site.localeCompare(other.site)
