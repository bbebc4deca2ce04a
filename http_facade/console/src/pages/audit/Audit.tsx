import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Audit() {
  return <Page title={t('audit.title')} />
}
