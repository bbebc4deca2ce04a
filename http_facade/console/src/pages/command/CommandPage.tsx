import { Page } from '../../parts/Page'
import { t } from '../../words/words'

export default function CommandPage() {
  return <Page title={t('commands.one')} />
}
