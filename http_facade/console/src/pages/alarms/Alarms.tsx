import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Alarms() {
  return <Page title={t('alarms.title')} />
}
