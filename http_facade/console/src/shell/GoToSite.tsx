import { useId, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { to } from '../pages/routes'
import { Icon } from '../parts/icons'
import { alarmsBySite } from '../state/alarms'
import { sites } from '../state/sites'
import { t } from '../words/words'

/** What of a site somebody who looks for one should know. */
function remark(name: string): string {
  const silent = sites.value?.get(name)?.online === false
  const count = alarmsBySite.value?.get(name)?.filter(each => !each.acknowledged).length ?? 0
  return [silent && t('sites.silent'), count > 0 && t('sites.alarms', { count })].filter(Boolean).join(' · ')
}

/** Leads to a site by its name, or the beginning or any part of it. */
export function GoToSite({ onGone }: { onGone?: () => void }) {
  const [text, setText] = useState('')
  const { route } = useLocation()
  const id = useId()
  const names = [...(sites.value?.keys() ?? [])].sort()

  const go = (name: string | undefined) => {
    if (name === undefined) return
    setText('')
    route(to.site(name))
    onGone?.()
  }
  return (
    <search>
      <form
        class="go"
        onSubmit={event => {
          event.preventDefault()
          const wanted = text.trim().toLowerCase()
          if (wanted) go(names.find(each => each.startsWith(wanted)) ?? names.find(each => each.includes(wanted)))
        }}
      >
        <Icon name="search" size={18} />
        <input
          class="input"
          type="search"
          aria-label={t('shell.goToSite')}
          placeholder={t('shell.goToSite')}
          list={id}
          value={text}
          onInput={event => {
            const chosen = event.currentTarget.value
            setText(chosen)
            // A choice from the list comes as one replacement; typed letters wait for Enter.
            if ((event as InputEvent).inputType === 'insertReplacementText' && names.includes(chosen)) go(chosen)
          }}
        />
        <datalist id={id}>
          {names.map(each => (
            <option key={each} value={each}>
              {remark(each)}
            </option>
          ))}
        </datalist>
      </form>
    </search>
  )
}
