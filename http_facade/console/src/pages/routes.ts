import { lazy } from 'preact-iso'
import type { IconName } from '../parts/icons'
import type { Role } from '../state/session'
import type { PlainKey } from '../words/words'

/** Where the console lives; the facade serves it there. */
export const HOME = '/console'

/** Every page: its path, who may see it, and its code, which comes when it is opened for the first time. */
export const ROUTES = [
  { path: `${HOME}`, needs: 'viewer', component: lazy(() => import('./sites/Sites')) },
  { path: `${HOME}/sites/:site`, needs: 'viewer', component: lazy(() => import('./site/SitePage')) },
  {
    path: `${HOME}/sites/:site/devices/:device`,
    needs: 'viewer',
    component: lazy(() => import('./device/DevicePage')),
  },
  {
    path: `${HOME}/sites/:site/devices/:device/history`,
    needs: 'viewer',
    component: lazy(() => import('./history/HistoryPage')),
  },
  {
    path: `${HOME}/sites/:site/devices/:device/history/settings`,
    needs: 'viewer',
    component: lazy(() => import('./history/SettingsHistory')),
  },
  { path: `${HOME}/sites/:site/feed`, needs: 'viewer', component: lazy(() => import('./feed/FeedPage')) },
  { path: `${HOME}/alarms`, needs: 'viewer', component: lazy(() => import('./alarms/Alarms')) },
  { path: `${HOME}/commands`, needs: 'viewer', component: lazy(() => import('./commands/Commands')) },
  { path: `${HOME}/commands/:id`, needs: 'viewer', component: lazy(() => import('./command/CommandPage')) },
  { path: `${HOME}/groups`, needs: 'engineer', component: lazy(() => import('./groups/Groups')) },
  { path: `${HOME}/groups/new`, needs: 'engineer', component: lazy(() => import('./groups/NewGroup')) },
  { path: `${HOME}/groups/:id`, needs: 'engineer', component: lazy(() => import('./groups/GroupPage')) },
  { path: `${HOME}/audit`, needs: 'engineer', component: lazy(() => import('./audit/Audit')) },
  { path: `${HOME}/tokens`, needs: 'admin', component: lazy(() => import('./tokens/Tokens')) },
  { path: `${HOME}/enrolment`, needs: 'admin', component: lazy(() => import('./enrolment/Enrolment')) },
] as const satisfies readonly { path: string; needs: Role; component: unknown }[]

export interface Place {
  readonly path: string
  readonly words: PlainKey
  readonly icon: IconName
  readonly needs: Role
}

/** The navigation; on a phone the first four stand in the bar, the others behind "more". */
export const PLACES: readonly Place[] = [
  { path: `${HOME}/`, words: 'shell.sites', icon: 'sites', needs: 'viewer' },
  { path: `${HOME}/alarms`, words: 'shell.alarms', icon: 'alarms', needs: 'viewer' },
  { path: `${HOME}/commands`, words: 'shell.commands', icon: 'commands', needs: 'viewer' },
  { path: `${HOME}/groups`, words: 'shell.groups', icon: 'groups', needs: 'engineer' },
  { path: `${HOME}/audit`, words: 'shell.audit', icon: 'audit', needs: 'engineer' },
  { path: `${HOME}/tokens`, words: 'shell.tokens', icon: 'tokens', needs: 'admin' },
  { path: `${HOME}/enrolment`, words: 'shell.enrolment', icon: 'enrolment', needs: 'admin' },
]

/** Addresses of pages about something, so that nobody writes one by hand. */
export const to = {
  sites: () => `${HOME}/`,
  site: (site: string) => `${HOME}/sites/${encodeURIComponent(site)}`,
  device: (site: string, device: string) => `${to.site(site)}/devices/${encodeURIComponent(device)}`,
  history: (site: string, device: string) => `${to.device(site, device)}/history`,
  settingsHistory: (site: string, device: string) => `${to.history(site, device)}/settings`,
  feed: (site: string) => `${to.site(site)}/feed`,
  command: (id: string) => `${HOME}/commands/${encodeURIComponent(id)}`,
  commands: (site = '') => `${HOME}/commands${site ? `?site=${encodeURIComponent(site)}` : ''}`,
  groups: () => `${HOME}/groups`,
  newGroup: () => `${to.groups()}/new`,
  group: (id: string) => `${to.groups()}/${encodeURIComponent(id)}`,
  alarms: (site = '') => `${HOME}/alarms${site ? `?site=${encodeURIComponent(site)}` : ''}`,
  audit: () => `${HOME}/audit`,
}
