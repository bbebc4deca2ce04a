import './top-bar.css'
import { useState } from 'preact/hooks'
import { asProblem } from '../api/problem'
import { to } from '../pages/routes'
import { Button } from '../parts/Button'
import { Icon, Mark } from '../parts/icons'
import { Menu } from '../parts/Menu'
import { alarms } from '../state/alarms'
import { announcement } from '../state/raised'
import { session, signOut } from '../state/session'
import { t, wordsOf } from '../words/words'
import { LanguageChoice, ThemeChoice } from './Choices'
import { GoToSite } from './GoToSite'
import { LineState } from './Line'

/** The bar above every page. */
export function TopBar() {
  return (
    <header class="top">
      <a class="brand" href={to.sites()} aria-label={t('shell.product')}>
        <Mark />
        <span class="brand-word">{t('shell.product')}</span>
      </a>
      <GoToSite />
      <LineState />
      <AlarmCount />
      <Menu label={t('shell.account')} icon="account">
        {() => <Account />}
      </Menu>
    </header>
  )
}

/** So many alarms as nobody has taken note of; where somebody has of all, how many are active still, quietly. */
function AlarmCount() {
  const active = alarms.value
  const open = active?.filter(each => !each.acknowledged)
  const tone = open?.some(each => each.severity === 'critical') ? 'critical' : open?.length === 0 ? 'seen' : 'warning'
  const words = alarmWords(active?.length, open?.length)
  return (
    <>
      <a
        class="button button-plain alarm-count"
        href={to.alarms()}
        aria-label={`${t('shell.alarms')}: ${words}`}
        title={words}
      >
        <Icon name="alarms" size={22} />
        {active?.length !== 0 && (
          <span class={`alarm-number digits alarm-number-${tone}`} aria-hidden="true">
            {open?.length || active?.length || '?'}
          </span>
        )}
      </a>
      <p class="unseen" role="status">
        {announcement}
      </p>
    </>
  )
}

function alarmWords(count: number | undefined, open: number | undefined): string {
  if (count === undefined || open === undefined) return t('common.unknown')
  if (count === 0) return t('shell.noAlarms')
  return `${t('shell.activeAlarms', { count })}, ${open ? t('shell.openAlarms', { count: open }) : t('shell.allSeen')}`
}

function Account() {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState('')
  const leave = async () => {
    setBusy(true)
    setFailed('')
    try {
      await signOut()
    } catch (error) {
      setFailed(wordsOf(asProblem(error).code))
      setBusy(false)
    }
  }
  const found = session.value
  return (
    found && (
      <>
        <div>
          <p>
            <strong>{t('shell.signedInAs', { name: found.name })}</strong>
          </p>
          <p class="quiet">{t('shell.roleIs', { role: t(`people.${found.role}`) })}</p>
        </div>
        <LanguageChoice />
        <ThemeChoice />
        <p class="field-error" role="alert">
          {failed}
        </p>
        <Button busy={busy} onClick={leave}>
          {t('shell.signOut')}
        </Button>
      </>
    )
  )
}
