import './card.css'
import type { ComponentChildren } from 'preact'

export interface CardProps {
  title?: ComponentChildren
  /** At the end of the title's line: a badge or a button. */
  aside?: ComponentChildren
  /** A line at its edge that says how it is. */
  tone?: 'ok' | 'warning' | 'critical' | 'unknown'
  children: ComponentChildren
}

/** What belongs together. */
export function Card({ title, aside, tone, children }: CardProps) {
  return (
    <section class={tone ? `card card-${tone}` : 'card'}>
      {(title || aside) && (
        <header class="card-head">
          {title && <h2>{title}</h2>}
          {aside}
        </header>
      )}
      {children}
    </section>
  )
}
