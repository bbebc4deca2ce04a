import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { Icon } from '../../parts/icons'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Page } from '../../parts/Page'
import { Select } from '../../parts/Select'
import { Skeleton } from '../../parts/Skeleton'
import { Switch } from '../../parts/Switch'
import { type Alarm, activationOf, alarms, alarmsProblem, readAlarms } from '../../state/alarms'
import { sites } from '../../state/sites'
import { muted, sound, turnSound } from '../../state/sound'
import { t } from '../../words/words'
import { to } from '../routes'
import { Acknowledging } from './Acknowledging'
import { AlarmItem } from './AlarmItem'
import { Past } from './Past'

/** What needs somebody now, who takes care of it, and what was before; of every site, or of one. */
export default function Alarms() {
  const { query, route } = useLocation()
  const site = query.site ?? ''
  const [chosen, choose] = useState<Alarm | undefined>()
  const shown = alarms.value?.filter(each => !site || each.site === site)
  return (
    <Page title={t('alarms.title')} lead={shown && lead(shown)}>
      <div class="alarms-choices">
        <Select
          label={t('alarms.site')}
          value={site}
          options={[
            { value: '', label: t('alarms.allSites') },
            ...names(site).map(each => ({ value: each, label: each })),
          ]}
          onChange={wanted => route(to.alarms(wanted), true)}
        />
        <div class="alarms-sound">
          <Switch label={t('alarms.sound')} checked={sound.value} onChange={turnSound} />
        </div>
      </div>
      {sound.value && muted.value && <Notice tone="warning">{t('alarms.muted')}</Notice>}
      {alarmsProblem.value && <ProblemNotice problem={alarmsProblem.value} again={() => void readAlarms()} />}
      {shown ? (
        <Active alarms={shown} site={site} choose={choose} />
      ) : (
        !alarmsProblem.value && <Skeleton lines={4} blockSize="4rem" />
      )}
      <Past site={site} />
      <Acknowledging alarm={chosen} onClose={() => choose(undefined)} />
    </Page>
  )
}

function lead(shown: readonly Alarm[]): string {
  const critical = shown.filter(each => each.severity === 'critical').length
  const seen = shown.filter(each => each.acknowledged).length
  return shown.length === 0 ? t('alarms.none') : t('alarms.lead', { critical, warnings: shown.length - critical, seen })
}

/** Every site, and the one of the address even if it is not known. */
function names(site: string): string[] {
  const found = new Set(sites.value?.keys() ?? [])
  if (site) found.add(site)
  return [...found].sort()
}

interface ActiveProps {
  alarms: readonly Alarm[]
  site: string
  choose: (alarm: Alarm) => void
}

function Active({ alarms: shown, site, choose }: ActiveProps) {
  if (shown.length === 0) {
    return (
      <p class="alarms-none">
        <Icon name="ok" size={28} />
        {site ? t('alarms.noneHere', { site }) : t('alarms.none')}
      </p>
    )
  }
  const groups = [
    { words: t('alarms.urgent'), items: shown.filter(each => each.severity === 'critical') },
    { words: t('alarms.others'), items: shown.filter(each => each.severity !== 'critical') },
  ]
  return groups.map(
    ({ words, items }) =>
      items.length > 0 && (
        <section key={words} class="alarms-group">
          <h2>
            {words} <span class="quiet digits">{items.length}</span>
          </h2>
          <ul class="alarms">
            {items.map(each => (
              <AlarmItem key={activationOf(each)} alarm={each} onAcknowledge={() => choose(each)} />
            ))}
          </ul>
        </section>
      ),
  )
}
