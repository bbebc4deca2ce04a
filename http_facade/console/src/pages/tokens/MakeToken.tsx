import { useState } from 'preact/hooks'
import { change } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { day } from '../../format/times'
import { Button } from '../../parts/Button'
import { CopyButton } from '../../parts/CopyButton'
import { Dialog } from '../../parts/Dialog'
import { Field } from '../../parts/Field'
import { Notice, ProblemNotice } from '../../parts/Notice'
import { NumberField, parsed } from '../../parts/NumberField'
import { Select } from '../../parts/Select'
import { type Role, session } from '../../state/session'
import { sites } from '../../state/sites'
import { t } from '../../words/words'
import {
  DEFAULT_DAYS,
  given,
  LONGEST_NAME,
  MOST_DAYS,
  mayGiveEverySite,
  type TokenMade,
  type Wish,
  type Wrong,
  wrongIn,
} from './rights'

export interface MakeTokenProps {
  open: boolean
  onMade: () => void
  onClose: () => void
}

/** A form, and then the token: it is shown this once, and gone when the dialog is closed. */
export function MakeToken({ open, onMade, onClose }: MakeTokenProps) {
  const [made, setMade] = useState<TokenMade>()
  const close = () => {
    setMade(undefined)
    onClose()
  }
  return (
    <Dialog open={open} title={made ? t('tokens.madeTitle') : t('tokens.make')} onClose={close}>
      {made ? (
        <Made made={made} onClose={close} />
      ) : (
        <TokenForm
          onMade={token => {
            setMade(token)
            onMade()
          }}
        />
      )}
    </Dialog>
  )
}

function Made({ made, onClose }: { made: TokenMade; onClose: () => void }) {
  return (
    <div class="token-form">
      <Notice tone="warning">{t('tokens.once')}</Notice>
      <div class="command-line">
        <code dir="ltr" data-token>
          {made.token}
        </code>
        <CopyButton text={made.token} label={t('common.copy')} />
      </div>
      <p class="quiet">
        {t('tokens.madeAs', { name: made.name, role: t(`people.${made.role}`) })}
        {made.expires_at && ` ${t('tokens.until', { day: day(made.expires_at) })}.`}
      </p>
      <Button kind="primary" onClick={onClose}>
        {t('tokens.kept')}
      </Button>
    </div>
  )
}

function TokenForm({ onMade }: { onMade: (made: TokenMade) => void }) {
  const found = session.value
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [chosen, setChosen] = useState<readonly string[] | null>(found?.sites === null ? null : [])
  const [days, setDays] = useState(String(DEFAULT_DAYS))
  const [wrong, setWrong] = useState<Wrong>({})
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  if (!found) return null

  const submit = async (event: Event) => {
    event.preventDefault()
    const wish: Wish = { name, role, sites: chosen, days: parsed(days) }
    const faults = wrongIn(wish)
    setWrong(faults)
    setProblem(undefined)
    if (busy || Object.keys(faults).length > 0) return
    setBusy(true)
    try {
      const body = { ...wish, name: name.trim() }
      onMade((await change('post', '/v1/tokens', { body })).body)
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="token-form" onSubmit={event => void submit(event)} noValidate>
      {problem && <ProblemNotice problem={problem} />}
      <Field
        label={t('tokens.name')}
        hint={t('tokens.nameHint')}
        value={name}
        onInput={setName}
        error={wrong.name ? t('tokens.nameWrong', { count: LONGEST_NAME }) : undefined}
        maxLength={LONGEST_NAME}
        autocomplete="off"
      />
      <Select
        label={t('tokens.role')}
        hint={t(`tokens.may_${role}`)}
        value={role}
        options={given(found.role).map(value => ({ value, label: t(`people.${value}`) }))}
        onChange={setRole}
      />
      <SiteChoice
        every={mayGiveEverySite(found)}
        names={found.sites ?? [...(sites.value?.keys() ?? [])]}
        chosen={chosen}
        onChange={setChosen}
        wrong={wrong.sites ?? false}
      />
      <NumberField
        label={t('tokens.days')}
        value={days}
        onInput={setDays}
        minimum={1}
        maximum={MOST_DAYS}
        error={wrong.days ? t('tokens.daysWrong', { count: MOST_DAYS }) : undefined}
      />
      <Button type="submit" kind="primary" busy={busy}>
        {t('tokens.make')}
      </Button>
    </form>
  )
}

interface SiteChoiceProps {
  /** Whether every site may be given, those to come as well. */
  every: boolean
  names: readonly string[]
  chosen: readonly string[] | null
  onChange: (chosen: readonly string[] | null) => void
  wrong: boolean
}

function SiteChoice({ every, names, chosen, onChange, wrong }: SiteChoiceProps) {
  const toggle = (name: string) =>
    onChange(chosen?.includes(name) ? chosen.filter(each => each !== name) : [...(chosen ?? []), name])
  return (
    <fieldset class="token-choice" aria-describedby={wrong ? 'token-sites-wrong' : undefined}>
      <legend class="field-label">{t('tokens.sites')}</legend>
      {every && (
        <label>
          <input type="checkbox" checked={chosen === null} onChange={() => onChange(chosen === null ? [] : null)} />
          {t('tokens.everySiteToCome')}
        </label>
      )}
      {chosen !== null &&
        [...names].sort().map(name => (
          <label key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            <bdi>{name}</bdi>
          </label>
        ))}
      {wrong && (
        <p class="field-error" id="token-sites-wrong">
          {t('tokens.sitesWrong')}
        </p>
      )}
    </fieldset>
  )
}
