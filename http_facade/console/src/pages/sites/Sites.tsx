import './sites.css'
import { signal } from '@preact/signals'
import { Icon } from '../../parts/icons'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Segments } from '../../parts/Segments'
import { Skeleton } from '../../parts/Skeleton'
import { alarmsBySite } from '../../state/alarms'
import { today } from '../../state/overview'
import { type KnownSite, readSites, sites, sitesProblem, staleSites } from '../../state/sites'
import { t } from '../../words/words'
import { type Need, needsOf, rankOf } from './needs'
import { presence } from './presence'
import { SiteRow } from './SiteRow'
import { Tiles } from './Tiles'

interface Needy {
  readonly site: KnownSite
  readonly online: boolean | null
  readonly needs: readonly Need[]
}

/** What was searched for and chosen here stays while the person looks at a site and comes back. */
const text = signal('')
const show = signal<'all' | 'needs'>('all')

/** Every site that the signed-in person may see: those that need somebody first. */
export default function Sites() {
  const all = sites.value && ranked([...sites.value.values()])
  return (
    <Page title={t('sites.title')} lead={all && t('sites.lead', { count: all.length })}>
      {sitesProblem.value && <ProblemNotice problem={sitesProblem.value} again={() => void readSites()} />}
      {all === undefined && !sitesProblem.value && <Skeleton lines={6} blockSize="4rem" />}
      {all?.length === 0 && (
        <Notice tone="accent">
          <p>
            <strong>{t('sites.none')}</strong>
          </p>
          <p>{t('sites.noneHint')}</p>
        </Notice>
      )}
      {all && all.length > 0 && (
        <>
          <Tiles />
          <Listed all={all} />
        </>
      )}
    </Page>
  )
}

function ranked(all: readonly KnownSite[]): Needy[] {
  const alarms = alarmsBySite.value
  return all
    .map(site => {
      const online = staleSites.value.has(site.site) ? null : site.online
      const fed = today.value?.get(site.site)?.fed ?? null
      return { site, online, needs: needsOf(site, alarms?.get(site.site) ?? [], fed, online) }
    })
    .sort((one, other) => rankOf(one.needs) - rankOf(other.needs) || order.compare(one.site.site, other.site.site))
}
/** `site-2` before `site-10`. */
const order = new Intl.Collator('en', { numeric: true })

function Listed({ all }: { all: readonly Needy[] }) {
  const needy = all.filter(each => each.needs.length > 0)
  const wanted = text.value.trim().toLowerCase()
  const shown = (show.value === 'all' ? all : needy).filter(each => each.site.site.includes(wanted))
  return (
    <section class="listed">
      <div class="listed-choices">
        <label class="listed-search">
          <Icon name="search" size={18} />
          <span class="unseen">{t('sites.search')}</span>
          <input
            class="input"
            type="search"
            placeholder={t('sites.search')}
            value={text.value}
            onInput={event => {
              text.value = event.currentTarget.value
            }}
          />
        </label>
        <Segments
          label={t('sites.show')}
          value={show.value}
          options={[
            { value: 'all', label: t('sites.showAll', { count: all.length }) },
            { value: 'needs', label: t('sites.showNeeds', { count: needy.length }) },
          ]}
          onChange={chosen => {
            show.value = chosen
          }}
        />
      </div>
      <p class="unseen" role="status">
        {t('sites.found', { count: shown.length })}
      </p>
      {shown.length === 0 && (
        <p class={`listed-none ${wanted ? '' : 'listed-well'}`}>
          <Icon name={wanted ? 'search' : 'ok'} size={28} />
          {wanted ? t('sites.noneFound', { text: wanted }) : t('sites.allWell')}
        </p>
      )}
      <ul class="sites">
        {shown.map(({ site, online, needs }) => (
          <SiteRow
            key={site.site}
            site={site}
            how={presence(online)}
            needs={needs}
            today={today.value?.get(site.site)}
          />
        ))}
      </ul>
    </section>
  )
}
