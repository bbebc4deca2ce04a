import type { ComponentChildren } from 'preact'
import { zoneSign } from '../../format/zoned'
import { Page } from '../../parts/Page'
import { now } from '../../state/clock'
import { language, t } from '../../words/words'
import { to } from '../routes'

export interface HistoryHeadProps {
  site: string
  device: string
  title: string
  here: 'chart' | 'settings'
  zone: string | undefined
  children: ComponentChildren
}

/** The heading of a device's history, with its two pages. */
export function HistoryHead({ site, device, title, here, zone, children }: HistoryHeadProps) {
  const pages = [
    { key: 'chart', href: to.history(site, device), words: t('history.chart') },
    { key: 'settings', href: to.settingsHistory(site, device), words: t('history.settings') },
  ]
  return (
    <Page
      title={t('history.of', { device: title })}
      lead={
        <>
          <a href={to.site(site)}>
            <bdi>{site}</bdi>
          </a>
          {' · '}
          <a href={to.device(site, device)}>
            <bdi>{device}</bdi>
          </a>
          {zone && ` · ${t('history.zone', { zone: named(zone) })}`}
        </>
      }
      actions={
        <nav class="pages" aria-label={t('history.title')}>
          {pages.map(each => (
            <a key={each.key} class="page-link" href={each.href} aria-current={each.key === here ? 'page' : undefined}>
              {each.words}
            </a>
          ))}
        </nav>
      }
    >
      {children}
    </Page>
  )
}

function named(zone: string): string {
  const sign = zoneSign(now.peek(), zone, language())
  return sign === zone ? zone : `${zone}, ${sign}`
}
