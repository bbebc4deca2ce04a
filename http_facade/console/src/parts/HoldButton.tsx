import './hold-button.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../words/words'
import { Icon, type IconName } from './icons'

export interface HoldButtonProps {
  onConfirm: () => void
  children: ComponentChildren
  icon?: IconName
  kind?: 'primary' | 'danger'
  disabled?: boolean
  /** So long it must be held. */
  holdMs?: number
}

const ARMED_MS = 5_000

/**
 * For what cannot be taken back: it is done when the button, or space or enter on it, was held until it is full. A
 * screen reader's press knows no length; there a second press within five seconds confirms.
 */
export function HoldButton({
  onConfirm,
  children,
  icon,
  kind = 'primary',
  disabled = false,
  holdMs = 900,
}: HoldButtonProps) {
  const [holding, setHolding] = useState(false)
  const [armed, setArmed] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>()
  /** A press that was felt ends in a click as well, which must not count as a screen reader's. */
  const felt = useRef(false)

  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (!armed) return
    const end = setTimeout(() => setArmed(false), ARMED_MS)
    return () => clearTimeout(end)
  }, [armed])

  const confirm = () => {
    setHolding(false)
    setArmed(false)
    onConfirm()
  }
  const begin = () => {
    if (disabled || holding) return
    felt.current = true
    setHolding(true)
    timer.current = setTimeout(confirm, holdMs)
  }
  const stop = () => {
    clearTimeout(timer.current)
    setHolding(false)
  }
  // What may not be asked for any more is not confirmed by a finger that is still down.
  useEffect(() => {
    if (!disabled) return
    clearTimeout(timer.current)
    setHolding(false)
    setArmed(false)
  }, [disabled])
  const press = () => {
    if (felt.current) felt.current = false
    else if (armed) confirm()
    else setArmed(true)
  }

  return (
    <button
      type="button"
      class={`button hold button-${kind}`}
      data-holding={holding}
      style={{ '--hold': `${holdMs}ms` }}
      disabled={disabled}
      title={t('common.holdHint')}
      onPointerDown={event => {
        if (event.button === 0) begin()
      }}
      onPointerUp={stop}
      onPointerLeave={stop}
      onPointerCancel={stop}
      onContextMenu={event => event.preventDefault()}
      onBlur={stop}
      onKeyDown={event => {
        if (event.key !== ' ' && event.key !== 'Enter') return
        event.preventDefault()
        if (!event.repeat) begin()
      }}
      onKeyUp={() => {
        stop()
        felt.current = false
      }}
      onClick={press}
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
      <span class="hold-hint" aria-live="polite">
        {armed ? t('common.pressAgain') : t(holding ? 'common.holding' : 'common.holdToConfirm')}
      </span>
    </button>
  )
}
