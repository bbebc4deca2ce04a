import './menu.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Button } from './Button'
import type { IconName } from './icons'

export interface MenuProps {
  /** What opens it; shown where there is room, always read out. */
  label: string
  icon: IconName
  /** Gets what closes it, for entries that lead elsewhere. */
  children: (close: () => void) => ComponentChildren
  /** Upwards from a bar at the foot of the screen. */
  upwards?: boolean
  showLabel?: boolean
}

/** A panel behind a button; it closes by Escape, by a press elsewhere, and when the focus leaves it. */
export function Menu({ label, icon, children, upwards = false, showLabel = false }: MenuProps) {
  const [open, setOpen] = useState(false)
  const element = useRef<HTMLDivElement>(null)
  const id = useId()

  useEffect(() => {
    if (!open) return
    const outside = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) setOpen(false)
    }
    const byKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      element.current?.querySelector('button')?.focus()
    }
    addEventListener('pointerdown', outside)
    addEventListener('focusin', outside)
    addEventListener('keydown', byKey)
    return () => {
      removeEventListener('pointerdown', outside)
      removeEventListener('focusin', outside)
      removeEventListener('keydown', byKey)
    }
  }, [open])

  const shown = showLabel ? { children: <span class="menu-label">{label}</span> } : { 'aria-label': label }
  return (
    <div class={upwards ? 'menu menu-upwards' : 'menu'} ref={element}>
      <Button
        kind="plain"
        icon={icon}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        {...shown}
      />
      <div class="menu-panel" id={id} hidden={!open}>
        {open && children(() => setOpen(false))}
      </div>
    </div>
  )
}
