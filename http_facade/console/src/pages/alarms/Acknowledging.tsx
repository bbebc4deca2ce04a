import { useEffect, useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Field } from '../../parts/Field'
import { ProblemNotice } from '../../parts/Notice'
import { type Alarm, learnAlarm } from '../../state/alarms'
import { t } from '../../words/words'

/** As the facade takes it. */
export const LONGEST_NOTE = 500

/** What is wrong with a note, in words; undefined if nothing is. */
export function faultOf(note: string): string | undefined {
  if (!note.trim()) return t('alarms.noteMissing')
  return [...note.trim()].length > LONGEST_NOTE ? t('alarms.noteTooLong', { most: LONGEST_NOTE }) : undefined
}

/** Take note of one activation of an alarm, with a word about it; the first word stands, so sending twice is safe. */
export function Acknowledging({ alarm, onClose }: { alarm: Alarm | undefined; onClose: () => void }) {
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  useEffect(() => {
    setNote('')
    setError(undefined)
    setProblem(undefined)
  }, [alarm])

  const send = async (event: Event) => {
    event.preventDefault()
    const fault = faultOf(note)
    setError(fault)
    if (!alarm || fault || busy) return
    setBusy(true)
    try {
      learnAlarm(await acknowledge(alarm, note.trim()))
      onClose()
    } catch (thrown) {
      setProblem(asProblem(thrown))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open={alarm !== undefined} title={t('alarms.acknowledging')} onClose={onClose}>
      {alarm && (
        <form class="acknowledging" noValidate onSubmit={event => void send(event)}>
          <p>
            <strong>
              <bdi>{alarm.title}</bdi>
            </strong>
            <br />
            <bdi>{alarm.site}</bdi> · <bdi>{alarm.device}</bdi>
          </p>
          <Field
            label={t('alarms.note')}
            hint={t('alarms.noteHint')}
            error={error}
            value={note}
            onInput={setNote}
            maxLength={LONGEST_NOTE}
            autocomplete="off"
            autoFocus
          />
          <p class="quiet">{t('alarms.acknowledgeHint')}</p>
          {problem && <ProblemNotice problem={problem} />}
          <footer class="dialog-actions">
            <Button onClick={onClose}>{t('common.cancel')}</Button>
            <Button type="submit" kind="primary" icon="ok" busy={busy}>
              {t('alarms.acknowledge')}
            </Button>
          </footer>
        </form>
      )}
    </Dialog>
  )
}

/** @throws Problem */
async function acknowledge({ site, device, name, since, source }: Alarm, note: string): Promise<Alarm> {
  const path = '/v1/sites/{site}/devices/{device}/alarms/{alarm}/acknowledgement'
  const { body } = await change('post', path, { path: { site, device, alarm: name }, body: { since, source, note } })
  return body
}
