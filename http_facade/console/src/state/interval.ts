import { useEffect, useRef } from 'preact/hooks'

/** Do something again and again while the page is looked at, and when somebody looks again. */
export function useEvery(periodMs: number, again: () => void): void {
  const latest = useRef(again)
  latest.current = again
  useEffect(() => {
    const look = () => {
      if (!document.hidden) latest.current()
    }
    const timer = setInterval(look, periodMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [periodMs])
}
