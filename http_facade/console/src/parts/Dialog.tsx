import './dialog.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../words/words'
import { Button } from './Button'

export interface DialogProps {
  open: boolean
  title: string
  onClose: () => void
  children: ComponentChildren
  /** The buttons at its foot. */
  actions?: ComponentChildren
}

/** A native modal dialog: the browser keeps the focus inside, and gives it back to where it came from. */
export function Dialog({ open, title, onClose, children, actions }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()

  useEffect(() => {
    const dialog = element.current
    if (!dialog || dialog.open === open) return
    if (open) dialog.showModal()
    else dialog.close()
  }, [open])

  return (
    <dialog ref={element} class="dialog" aria-labelledby={id} onClose={onClose} closedby="any">
      {open && (
        <div class="dialog-body">
          <header class="dialog-head">
            <h2 id={id}>{title}</h2>
            <Button kind="plain" icon="close" aria-label={t('common.close')} onClick={() => element.current?.close()} />
          </header>
          <div class="dialog-content">{children}</div>
          {actions && <footer class="dialog-actions">{actions}</footer>}
        </div>
      )}
    </dialog>
  )
}
