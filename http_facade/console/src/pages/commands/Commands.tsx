import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Commands() {
  return <Page title={t('commands.title')} />
}
