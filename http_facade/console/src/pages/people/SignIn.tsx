import './sign-in.css'
import { useEffect, useState } from 'preact/hooks'
import { asProblem, type Problem } from '../../api/problem'
import { Button } from '../../parts/Button'
import { Field } from '../../parts/Field'
import { Mark } from '../../parts/icons'
import { Notice } from '../../parts/Notice'
import { LanguageChoice } from '../../shell/Choices'
import { lastName } from '../../state/preferences'
import { ended, signIn } from '../../state/session'
import { t, wordsOf } from '../../words/words'

/** What the facade takes for a name (gateway/protocol/ids.py). */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

export function SignIn() {
  const [name, setName] = useState(lastName.value)
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const nameError = !name ? t('signIn.nameMissing') : NAME.test(name) ? undefined : t('signIn.nameHint')

  useEffect(() => {
    document.title = `${t('signIn.title')} · ${t('shell.product')}`
  })

  const submit = async (event: Event) => {
    event.preventDefault()
    setTried(true)
    if (busy || nameError || !password) return
    setBusy(true)
    setProblem(undefined)
    try {
      await signIn(name, password)
    } catch (error) {
      setProblem(asProblem(error))
      setPassword('')
      setTried(false)
    } finally {
      setBusy(false)
    }
  }

  return (
    <main class="sign-in" id="content">
      <div class="sign-in-card">
        <div class="sign-in-brand">
          <Mark size={44} />
          <span>{t('shell.product')}</span>
        </div>
        <h1>{t('signIn.title')}</h1>
        <p class="quiet">{t('signIn.lead')}</p>
        {ended.value && !problem && <Notice tone="accent">{t('signIn.ended')}</Notice>}
        {problem && <Notice tone="critical">{wordsFor(problem)}</Notice>}
        <form class="sign-in-form" onSubmit={submit} noValidate>
          <Field
            label={t('signIn.name')}
            value={name}
            onInput={text => setName(text.trim().toLowerCase())}
            error={tried ? nameError : undefined}
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            dir="ltr"
            required
          />
          <Field
            label={t('signIn.password')}
            value={password}
            onInput={setPassword}
            error={tried && !password ? t('signIn.passwordMissing') : undefined}
            type="password"
            name="password"
            autocomplete="current-password"
            dir="ltr"
            required
          />
          <Button kind="primary" type="submit" busy={busy}>
            {t(busy ? 'signIn.submitting' : 'signIn.submit')}
          </Button>
        </form>
        <LanguageChoice />
      </div>
    </main>
  )
}

function wordsFor(problem: Problem): string {
  switch (problem.code) {
    // A name that breaks the grammar is none that anybody has.
    case 'not-signed-in':
    case 'invalid-input':
      return t('signIn.wrong')
    case 'too-many-attempts':
      return t('signIn.tooMany', { seconds: problem.facts.retryAfterS ?? 60 })
    case 'unreachable':
    case 'too-slow':
    case 'not-understood':
      return t('signIn.unreachable')
    default:
      return wordsOf(problem.code)
  }
}
