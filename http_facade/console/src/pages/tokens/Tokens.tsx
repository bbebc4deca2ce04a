import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function Tokens() {
  return <Page title={t('tokens.title')} />
}
