import './badge.css'
import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icons'

export type Tone = 'ok' | 'warning' | 'critical' | 'unknown' | 'accent'
const ICONS: Record<Tone, IconName> = {
  ok: 'ok',
  warning: 'warning',
  critical: 'critical',
  unknown: 'unknown',
  accent: 'information',
}

/** How something is, in an icon, a colour and words: never in the colour alone. */
export function Badge({
  tone,
  icon = ICONS[tone],
  children,
}: {
  tone: Tone
  icon?: IconName
  children: ComponentChildren
}) {
  return (
    <span class={`badge badge-${tone}`}>
      <Icon name={icon} size={16} />
      {children}
    </span>
  )
}
