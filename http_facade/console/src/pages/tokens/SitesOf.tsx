import { t } from '../../words/words'

/** The sites that somebody or something may reach; null is every one. */
export function SitesOf({ sites }: { sites: readonly string[] | null }) {
  return sites === null ? <span>{t('tokens.everySite')}</span> : <bdi class="token-sites">{sites.join(', ')}</bdi>
}
