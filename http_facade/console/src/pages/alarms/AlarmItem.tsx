import './alarms.css'
import { shortTime } from '../../format/times'
import { Age } from '../../parts/Age'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Icon } from '../../parts/icons'
import { type Alarm, isMissedMeal } from '../../state/alarms'
import { serverNow } from '../../state/clock'
import { zoneOf } from '../../state/overview'
import { may } from '../../state/session'
import { t } from '../../words/words'
import { to } from '../routes'

export interface AlarmItemProps {
  alarm: Alarm
  onAcknowledge: () => void
  /** Where the page is about the site already. */
  ofSite?: boolean
}

/** An active alarm: what, where, since when, and who takes care of it. */
export function AlarmItem({ alarm, onAcknowledge, ofSite = false }: AlarmItemProps) {
  const { site, device, title, detail, severity, since, source, acknowledged } = alarm
  const place = { title, device, site }
  const time = shortTime(since, serverNow(), zoneOf(site))
  return (
    <li class={`alarm alarm-${severity} ${acknowledged ? 'alarm-seen' : ''}`}>
      <div class="alarm-what">
        <h3 class="alarm-title">
          <Badge tone={severity} icon={isMissedMeal(alarm) ? 'feed' : severity}>
            {isMissedMeal(alarm) ? t('alarms.missedMeal') : t(`common.${severity}`)}
          </Badge>
          <bdi>{title}</bdi>
        </h3>
        <p class="alarm-where">
          {!ofSite && (
            <>
              <a href={to.site(site)}>
                <bdi>{site}</bdi>
              </a>
              <span aria-hidden="true">·</span>
            </>
          )}
          <a href={to.device(site, device)}>
            <bdi>{device}</bdi>
          </a>
          {detail && (
            <span class="quiet">
              <bdi>{detail}</bdi>
            </span>
          )}
        </p>
        <p class="quiet">
          <Age of={since} words={age => t('alarms.since', { time, age })} />
        </p>
        {source === 'centre' && <p class="quiet">{t('alarms.byCentre')}</p>}
      </div>
      {acknowledged ? (
        <Seen by={acknowledged} zone={zoneOf(site)} />
      ) : may('operator') ? (
        <Button icon="ok" aria-label={t('alarms.acknowledgeThis', place)} onClick={onAcknowledge}>
          {t('alarms.acknowledge')}
        </Button>
      ) : (
        <p class="quiet">{t('alarms.notAcknowledged')}</p>
      )}
    </li>
  )
}

function Seen({ by: { by, at, note }, zone }: { by: NonNullable<Alarm['acknowledged']>; zone: string | undefined }) {
  return (
    <div class="alarm-by">
      <p>
        <Icon name="ok" size={18} />
        <bdi>{t('alarms.acknowledgedBy', { name: by, time: shortTime(at, serverNow(), zone) })}</bdi>
      </p>
      <blockquote class="alarm-note">
        <bdi>{note}</bdi>
      </blockquote>
    </div>
  )
}
