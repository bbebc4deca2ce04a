import './button.css'
import type { ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icons'

export interface ButtonProps extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'size' | 'loading'> {
  /** `primary`: the one thing to do here; `danger`: it is hard to undo; `plain`: beside others. */
  kind?: 'primary' | 'secondary' | 'plain' | 'danger'
  icon?: IconName
  /** Work is under way: it stays in its place, and a second press does nothing. */
  busy?: boolean
  children?: ComponentChildren
}

/** A button; without children its `aria-label` says what it does. */
export function Button({
  kind = 'secondary',
  icon,
  busy = false,
  children,
  onClick,
  class: more,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={['button', `button-${kind}`, children ? '' : 'button-icon', more ?? ''].join(' ').trim()}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? event => event.preventDefault() : onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}
