import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Enrolment() {
  return <Page title={t('enrolment.title')} />
}
