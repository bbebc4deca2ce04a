import { age } from '../../format/ages'
import { withUnit } from '../../format/numbers'
import { unitSign } from '../../format/units'
import { Badge } from '../../parts/Badge'
import { type Column, Table } from '../../parts/Table'
import { now } from '../../state/clock'
import type { Value } from '../../state/description'
import { t, wordsOf } from '../../words/words'
import { valueWords } from '../commands/wording'
import { DeviceLink } from '../DeviceLink'
import { OldNew } from '../device/OldNew'
import { to } from '../routes'
import { type GroupInFull, type Target, TargetBadge } from './GroupBadge'

/** Each device: what it would get, how it was last read, who refuses it and why; and what became of it. */
export function Targets({ group }: { group: GroupInFull }) {
  const begun = group.started_at !== null
  const columns: readonly Column<Target>[] = [
    {
      key: 'target',
      head: t('groups.target'),
      cell: each => <DeviceLink site={each.site} device={each.device} />,
    },
    { key: 'effect', head: t('groups.effect'), cell: each => <Effect target={each} /> },
    { key: 'now', head: t('groups.now'), cell: each => <Reported target={each} /> },
    {
      key: 'outcome',
      head: t('groups.outcome'),
      cell: each => (begun ? <Became target={each} /> : <Would target={each} />),
    },
  ]
  return (
    <Table
      caption={t('groups.choose')}
      columns={columns}
      rows={group.targets}
      keyOf={each => `${each.site}/${each.device}`}
      empty={t('groups.noFit')}
    />
  )
}

function Effect({ target: { effect } }: { target: Target }) {
  if (!effect) return <span class="quiet">{t('common.unknown')}</span>
  if (effect.settings) {
    return (
      <ul class="group-effect">
        {effect.settings.map(({ setting, unit, old, new: wanted, unchanged }) => (
          <li key={setting}>
            {unchanged ? (
              <span class="quiet">{t('groups.unchanged')}</span>
            ) : (
              <OldNew
                old={valueWords(old, { type: 'string', unit })}
                now={valueWords(wanted as Value, { type: 'string', unit })}
              />
            )}
          </li>
        ))}
      </ul>
    )
  }
  if (effect.amount === null) return <span>{Object.values(effect.arguments ?? {}).join(', ')}</span>
  return <strong class="digits">{withUnit(effect.amount, unitSign(effect.unit))}</strong>
}

function Reported({ target: { reported, interlocks } }: { target: Target }) {
  const held = interlocks.filter(each => each.holds !== false)
  return (
    <span class="quiet digits" aria-live="off">
      {reported.quality ? t(`device.${reported.quality}`) : t('device.noReport')}
      {reported.at && ` · ${t('groups.age', { age: age(reported.at, now.value) })}`}
      {held.length > 0 && <span class="group-failed"> {held.map(each => each.title ?? each.name).join(', ')}</span>}
    </span>
  )
}

function Would({ target: { refusal } }: { target: Target }) {
  if (!refusal) return <Badge tone="ok">{t('groups.pass')}</Badge>
  return (
    <span class="group-became">
      <Badge tone="critical">{t('groups.refused')}</Badge>
      <span title={refusal.detail}>{wordsOf(refusal.code)}</span>
    </span>
  )
}

function Became({ target: { state, command, code } }: { target: Target }) {
  return (
    <span class="group-became">
      {command ? (
        <a href={to.command(command)}>
          <TargetBadge state={state} />
        </a>
      ) : (
        <TargetBadge state={state} />
      )}
      {code && code !== state && <span>{wordsOf(code)}</span>}
    </span>
  )
}
