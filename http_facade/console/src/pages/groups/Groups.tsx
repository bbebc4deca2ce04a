import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Groups() {
  return <Page title={t('groups.title')} />
}
