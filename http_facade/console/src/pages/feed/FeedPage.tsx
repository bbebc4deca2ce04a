import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function FeedPage() {
  return <Page title={t('feed.title')} />
}
