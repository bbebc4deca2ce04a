import './enrolment.css'
import { useState } from 'preact/hooks'
import { read } from '../../api/client'
import { Page } from '../../parts/Page'
import { useReading } from '../../state/reading'
import { sites } from '../../state/sites'
import { t } from '../../words/words'
import { CodeForm } from './CodeForm'
import { Registrations } from './Registrations'
import { type Before, type Invited, standing } from './registrations'
import { Watch } from './Watch'

/** Lets a site in: a code, shown this once, and then how far the site has come with it. */
export default function Enrolment() {
  const registrations = useReading(async signal => (await read('/v1/registrations', { signal })).body.items, [])
  const [invited, setInvited] = useState<{ code: Invited; before: Before }>()
  return (
    <Page title={t('enrolment.title')} lead={t('enrolment.lead')}>
      {invited ? (
        <Watch
          key={invited.code.code}
          invited={invited.code}
          before={invited.before}
          registrations={registrations}
          onAnother={() => setInvited(undefined)}
        />
      ) : (
        <CodeForm
          registered={registrations.value}
          onInvited={code => {
            const registered = registrations.value?.find(each => each.site === code.site)
            setInvited({ code, before: standing(registered, sites.value?.get(code.site)) })
            registrations.again()
          }}
        />
      )}
      <Registrations registrations={registrations} />
    </Page>
  )
}
