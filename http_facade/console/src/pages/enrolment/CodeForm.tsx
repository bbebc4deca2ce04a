import { useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Field } from '../../parts/Field'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { Select } from '../../parts/Select'
import { t } from '../../words/words'
import { Closed } from './Closed'
import { HOURS, type Hours, type Invited, isSiteName, type Registered } from './registrations'

export interface CodeFormProps {
  registered: readonly Registered[] | undefined
  onInvited: (invited: Invited) => void
}

/** The name of the site that is to come in, and for how long its code is good. */
export function CodeForm({ registered, onInvited }: CodeFormProps) {
  const [site, setSite] = useState('')
  const [hours, setHours] = useState<Hours>('1')
  const [wrong, setWrong] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const name = site.trim()
  const known = registered?.find(each => each.site === name && each.state === 'enrolled')

  const submit = async (event: Event) => {
    event.preventDefault()
    setWrong(!isSiteName(name))
    setProblem(undefined)
    if (busy || !isSiteName(name)) return
    setBusy(true)
    try {
      onInvited((await change('post', '/v1/registrations', { body: { site: name, hours: Number(hours) } })).body)
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Card title={t('enrolment.letIn')}>
      {problem?.code === 'enrolment-closed' && <Closed problem={problem} />}
      {problem && problem.code !== 'enrolment-closed' && <ProblemNotice problem={problem} />}
      <form class="enrolment-form" onSubmit={event => void submit(event)} noValidate>
        <Field
          label={t('enrolment.site')}
          hint={t('enrolment.siteHint')}
          value={site}
          onInput={value => {
            setSite(value)
            setWrong(false)
          }}
          error={wrong ? t('enrolment.siteWrong') : undefined}
          placeholder="arava-1"
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          dir="ltr"
        />
        <Select
          label={t('enrolment.hours')}
          value={hours}
          options={HOURS.map(value => ({ value, label: t(`enrolment.hours_${value}`) }))}
          onChange={setHours}
        />
        <Button type="submit" kind="primary" busy={busy}>
          {t('enrolment.makeCode')}
        </Button>
      </form>
      {known && <Notice tone="warning">{t('enrolment.again', { site: name })}</Notice>}
    </Card>
  )
}
