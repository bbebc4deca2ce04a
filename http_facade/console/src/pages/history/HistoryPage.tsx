import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function HistoryPage() {
  return <Page title={t('history.title')} />
}
