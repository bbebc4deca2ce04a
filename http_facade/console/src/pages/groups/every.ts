import { useEffect, useRef } from 'preact/hooks'

/** Do something again and again while somebody looks; not at all without a length. The stream tells nothing of groups. */
export function useEvery(lengthMs: number | undefined, act: () => void): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    if (lengthMs === undefined) return
    const timer = setInterval(() => {
      if (!document.hidden) latest.current()
    }, lengthMs)
    return () => clearInterval(timer)
  }, [lengthMs])
}
