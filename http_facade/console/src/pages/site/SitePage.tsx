import './site.css'
import { useState } from 'preact/hooks'
import { Icon } from '../../parts/icons'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Skeleton } from '../../parts/Skeleton'
import { type Alarm, activationOf, alarmsBySite } from '../../state/alarms'
import { useEvery } from '../../state/interval'
import { zoneOf } from '../../state/overview'
import { readSite, readSites, sites, sitesProblem } from '../../state/sites'
import { t } from '../../words/words'
import { Acknowledging } from '../alarms/Acknowledging'
import { AlarmItem } from '../alarms/AlarmItem'
import { to } from '../routes'
import { Devices } from './Devices'
import { Gate } from './Gate'
import { Uptime } from './Uptime'

/** Whoever looks at one site sees its gate shut within so long. */
const AGAIN_MS = 2_000

/** One site: whether it may be written to, what it needs, and what its devices say. */
export default function SitePage({ params: { site } }: { params: { site: string } }) {
  // What fails here fails for all sites as well, and is told by their reading.
  useEvery(AGAIN_MS, () => void readSite(site).catch(() => undefined))
  const known = sites.value?.get(site)
  const zone = zoneOf(site)
  return (
    <Page title={site} lead={zone ? t('site.zone', { zone }) : '\u00a0'} actions={known && <Links site={site} />}>
      {sitesProblem.value && <ProblemNotice problem={sitesProblem.value} again={() => void readSites()} />}
      {!known && !sitesProblem.value && !sites.value && <Skeleton lines={6} blockSize="3rem" />}
      {!known && sites.value && <Notice tone="warning">{t('problems.unknown-site')}</Notice>}
      {known && (
        <>
          <Gate site={known} />
          <Alarms site={site} />
          <Devices site={known} />
          <Uptime site={site} />
        </>
      )}
    </Page>
  )
}

function Links({ site }: { site: string }) {
  return (
    <>
      <a class="button button-secondary" href={to.feed(site)}>
        <Icon name="feed" />
        {t('feed.title')}
      </a>
      <a class="button button-secondary" href={to.alarms(site)}>
        <Icon name="alarms" />
        {t('alarms.title')}
      </a>
      <a class="button button-secondary" href={to.commands(site)}>
        <Icon name="commands" />
        {t('commands.title')}
      </a>
    </>
  )
}

function Alarms({ site }: { site: string }) {
  const [chosen, choose] = useState<Alarm | undefined>()
  const active = alarmsBySite.value?.get(site) ?? []
  return (
    <>
      {active.length > 0 && (
        <section class="alarms-group" aria-labelledby="alarms">
          <h2 id="alarms">{t('shell.activeAlarms', { count: active.length })}</h2>
          <ul class="alarms">
            {active.map(each => (
              <AlarmItem key={activationOf(each)} alarm={each} ofSite onAcknowledge={() => choose(each)} />
            ))}
          </ul>
        </section>
      )}
      <Acknowledging alarm={chosen} onClose={() => choose(undefined)} />
    </>
  )
}
