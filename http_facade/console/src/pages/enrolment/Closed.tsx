import type { Problem } from '../../api/problem'
import { Notice } from '../../parts/Notice'
import { t } from '../../words/words'

const SETUP = ['tidegate ca create', 'tidegate ca server centre.example --out $TIDEGATE_HOME/https']
const SETTINGS = ['TIDEGATE_PUBLIC_URL=https://centre.example:8443', 'TIDEGATE_PUBLIC_BROKER=centre.example:8884']

/** What to do on the server before any site can be let in. */
export function Closed({ problem }: { problem: Problem }) {
  return (
    <Notice tone="warning">
      <p>
        <strong>{t('enrolment.closed')}</strong>
      </p>
      <p>{t('enrolment.closedAuthority')}</p>
      <Lines lines={SETUP} />
      <p>{t('enrolment.closedSettings')}</p>
      <Lines lines={SETTINGS} />
      <p>{t('enrolment.closedMore')}</p>
      <p class="notice-code" dir="ltr">
        {problem.code}: {problem.detail}
      </p>
    </Notice>
  )
}

function Lines({ lines }: { lines: readonly string[] }) {
  return (
    <pre class="enrolment-lines" dir="ltr">
      {lines.join('\n')}
    </pre>
  )
}
