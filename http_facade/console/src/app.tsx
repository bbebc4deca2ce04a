import './styles/tokens.css'
import './styles/base.css'
import './parts/icons.css'
import './shell/shell.css'
import { type AnyComponent, createElement } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import { LocationProvider, Route, Router, useLocation } from 'preact-iso'
import { SignIn } from './pages/people/SignIn'
import { HOME, ROUTES } from './pages/routes'
import { Button } from './parts/Button'
import { Notice, ProblemNotice } from './parts/Notice'
import { Page } from './parts/Page'
import { Skeleton } from './parts/Skeleton'
import { LineNotice } from './shell/Line'
import { Navigation } from './shell/Navigation'
import { TopBar } from './shell/TopBar'
import { may, type Role, recall, session, sessionProblem } from './state/session'
import { t } from './words/words'

export function App() {
  return (
    <LocationProvider scope={/^\/console(\/|$)/}>
      <Entrance />
    </LocationProvider>
  )
}

/** Who is signed in sees the page that was asked for; who is not signs in, and sees it then. */
function Entrance() {
  if (session.value) return <Shell />
  if (session.value === null) return <SignIn />
  return (
    <main class="content" id="content">
      {sessionProblem.value ? <Unreachable /> : <Skeleton />}
    </main>
  )
}

/** The shell is kept and so it opens without a network; then it says that there is nothing to show. */
function Unreachable() {
  return (
    <Page title={t('shell.product')}>
      {!navigator.onLine && <Notice tone="warning">{t('shell.offline')}</Notice>}
      {sessionProblem.value && <ProblemNotice problem={sessionProblem.value} again={() => void recall()} />}
    </Page>
  )
}

function Shell() {
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {t('shell.skip')}
      </a>
      <TopBar />
      <Navigation />
      <main class="content" id="content" tabIndex={-1}>
        <LineNotice />
        <Pages />
      </main>
    </div>
  )
}

function Pages() {
  const { path } = useLocation()
  const [error, mend] = useErrorBoundary()
  // Another page may well work.
  useEffect(mend, [path])
  if (error) return <Broken />
  return (
    <Router onRouteChange={focusHeading}>
      {ROUTES.map(({ path: at, needs, component }) => (
        <Route key={at} path={at} component={allowed(needs, component as AnyComponent)} />
      ))}
      <Route path={`${HOME}/sign-in`} component={Arrived} />
      <Route default component={NotFound} />
    </Router>
  )
}

/** The first page of a visit leaves the focus where the browser puts it; every later one takes it to its heading. */
function focusHeading() {
  document.querySelector<HTMLElement>('#content h1')?.focus({ preventScroll: true })
}

const guarded = new Map<AnyComponent, AnyComponent>()

/** The page, or that one's role does not cover it: the facade would refuse what it asks for. */
function allowed(needs: Role, component: AnyComponent): AnyComponent {
  const found = guarded.get(component)
  if (found) return found
  const made: AnyComponent = properties => (may(needs) ? createElement(component, properties) : <NotAllowed />)
  guarded.set(component, made)
  return made
}

function Arrived() {
  const { route } = useLocation()
  useEffect(() => route(`${HOME}/`, true), [route])
  return null
}

function NotAllowed() {
  return <Page title={t('shell.notAllowed')} />
}

function NotFound() {
  return <Page title={t('shell.notFound')} lead={t('shell.notFoundHint')} />
}

function Broken() {
  return (
    <Page title={t('shell.broken')}>
      <Button kind="primary" onClick={() => location.reload()}>
        {t('shell.reload')}
      </Button>
    </Page>
  )
}
