import './page.css'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { pageTitle } from '../state/title'

export interface PageProps {
  title: string
  /** Below the heading: what is seen here, in a sentence. */
  lead?: ComponentChildren
  /** At the end of the heading's line. */
  actions?: ComponentChildren
  children?: ComponentChildren
}

/** A page: its heading, its title in the browser, and the place to which the focus comes after a navigation. */
export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    pageTitle.value = title
  }, [title])

  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {lead && <p class="page-lead">{lead}</p>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
