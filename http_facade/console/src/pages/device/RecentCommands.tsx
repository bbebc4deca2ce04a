import { age } from '../../format/ages'
import { Card } from '../../parts/Card'
import { ProblemNotice } from '../../parts/Notice'
import { Skeleton } from '../../parts/Skeleton'
import { now } from '../../state/clock'
import type { Description } from '../../state/description'
import { type DeviceCommands, momentOf } from '../../state/following'
import { t } from '../../words/words'
import { StateBadge } from '../commands/StateBadge'
import { deedWords, inputWords, whoWords } from '../commands/wording'
import { to } from '../routes'

const SHOWN = 6

/** What was asked of this device last, by anybody. */
export function RecentCommands({
  of: { commands, reading },
  site,
  device,
  description,
}: {
  of: DeviceCommands
  site: string
  device: string
  description: Description | undefined
}) {
  return (
    <Card
      title={t('device.recent')}
      aside={<a href={`${to.commands()}?${new URLSearchParams({ site, device })}`}>{t('device.allCommands')}</a>}
    >
      {reading.problem && <ProblemNotice problem={reading.problem} again={reading.again} />}
      {!commands && reading.loading && <Skeleton lines={4} />}
      {commands?.length === 0 && <p class="quiet">{t('commands.none')}</p>}
      {commands && commands.length > 0 && (
        <ul class="recent">
          {commands.slice(0, SHOWN).map(each => (
            <li key={each.id}>
              <a class="recent-what" href={to.command(each.id)}>
                {deedWords(each.name, description)}
                <span class="digits recent-input">{inputWords(each, description)}</span>
              </a>
              <StateBadge state={each.state} />
              <span class="quiet recent-who" aria-live="off">
                <bdi>{whoWords(each)}</bdi> · {age(momentOf(each), now.value)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
