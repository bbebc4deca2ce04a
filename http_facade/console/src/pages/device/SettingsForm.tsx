import { useState } from 'preact/hooks'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Notice } from '../../parts/Notice'
import type { Command } from '../../state/commands'
import type { Description, Schema } from '../../state/description'
import type { Device } from '../../state/devices'
import type { Closed } from '../../state/gate'
import { t } from '../../words/words'
import { Outcome } from '../commands/Outcome'
import { Conflicts } from './Conflicts'
import { Drift } from './Drift'
import { dayChange, type Editing, others, useEditing } from './editing'
import { Held } from './Held'
import { Meals } from './Meals'
import { Review } from './Review'
import { SettingField } from './SettingField'
import { SettingValue } from './SettingValue'

export interface SettingsFormProps {
  device: Device
  description: Description
  closed: Closed | undefined
  commands: readonly Command[] | undefined
}

/** All settings of a device in one form: changed, looked over, written, and followed until the PLC was read equal. */
export function SettingsForm({ device, description, closed, commands }: SettingsFormProps) {
  const editing = useEditing(device, description, closed, commands)
  const [reviewing, setReviewing] = useState(false)
  const plan = description['tidegate:meals'] ?? undefined
  const noteOf = (name: string) => {
    const schema = description.properties?.[name]
    return schema && <Drift device={device} name={name} schema={schema} commands={commands} />
  }
  const { wish, doubts, open } = editing
  const known = wish?.command?.id === doubts[0]?.id
  return (
    <section class="settings" aria-label={t('device.settings')}>
      {editing.conflicts.length > 0 && (
        <Conflicts conflicts={editing.conflicts} onMine={editing.keepMine} onTheirs={editing.takeTheirs} />
      )}
      {wish && <Outcome wish={wish} description={description} onClose={editing.dismiss} />}
      {editing.awaitsReport && <Notice tone="unknown">{t('device.awaitReport')}</Notice>}
      {!open && <Held doubts={doubts} told={known} />}
      {plan && (
        <Meals
          plan={plan}
          description={description}
          valueAt={editing.valueAt}
          typedAt={editing.typedAt}
          onType={editing.type}
          disabled={editing.disabled}
          touched={editing.touched}
          noteOf={noteOf}
        />
      )}
      <Others settings={others(description, plan)} device={device} editing={editing} noteOf={noteOf} />
      {/* Of what is under way, or unknown, nobody may say that it is not written. */}
      {editing.changes.length > 0 && !open && doubts.length === 0 && (
        <DraftBar editing={editing} onReview={() => setReviewing(true)} />
      )}
      <Review
        open={reviewing && editing.sound && !editing.disabled}
        changes={editing.changes}
        perDay={dayChange(plan, device, editing.valueAt)}
        onClose={() => setReviewing(false)}
        onConfirm={() => {
          setReviewing(false)
          editing.write()
        }}
      />
    </section>
  )
}

interface OthersProps {
  settings: readonly [string, Schema][]
  device: Device
  editing: Editing
  noteOf: (name: string) => ReturnType<typeof Drift> | undefined
}

function Others({ settings, device, editing, noteOf }: OthersProps) {
  const { type } = editing
  if (settings.length === 0) return null
  return (
    <Card title={t('device.settings')}>
      <div class="fields">
        {settings.map(([name, schema]) =>
          type ? (
            <div key={name}>
              <SettingField
                name={name}
                schema={schema}
                typed={editing.typedAt(name)}
                disabled={editing.disabled}
                touched={editing.touched(name)}
                onType={typed => type(name, typed)}
              />
              {noteOf(name)}
            </div>
          ) : (
            <SettingValue key={name} name={name} schema={schema} value={device.settings[name]} note={noteOf(name)} />
          ),
        )}
      </div>
    </Card>
  )
}

/** What was typed and not written, always in sight. */
function DraftBar({ editing, onReview }: { editing: Editing; onReview: () => void }) {
  const { changes, sound, conflicts, movedOn, disabled, awaitsReport } = editing
  return (
    <div class="draft-bar">
      <span role="status">
        <strong>{t('device.changes', { count: changes.length })}</strong>
        {!sound && conflicts.length === 0 && <span class="draft-fault"> {t('device.faulty')}</span>}
        {movedOn && <span class="quiet"> {t('device.movedOn')}</span>}
      </span>
      <Button onClick={editing.discard}>{t('device.discard')}</Button>
      <Button kind="primary" disabled={disabled || !sound || awaitsReport} onClick={onReview}>
        {t('device.reviewIt')}
      </Button>
    </div>
  )
}
