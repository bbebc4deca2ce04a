import './page.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../words/words'

export interface PageProps {
  title: string
  /** Below the heading: what is seen here, in a sentence. */
  lead?: ComponentChildren
  /** At the end of the heading's line. */
  actions?: ComponentChildren
  children?: ComponentChildren
}

/** The first page of a visit leaves the focus where the browser puts it; every later one takes it to its heading. */
let arrivedAt: string | undefined

/** A page: its heading, its title in the browser, and the focus on the heading after a navigation. */
export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { path } = useLocation()

  useEffect(() => {
    document.title = `${title} · ${t('shell.product')}`
  }, [title])

  useLayoutEffect(() => {
    if (arrivedAt !== undefined && arrivedAt !== path) heading.current?.focus({ preventScroll: true })
    arrivedAt = path
  }, [path])

  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="page-lead">{lead}</p>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
