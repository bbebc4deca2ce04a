import { type MutableRef, useEffect, useRef, useState } from 'preact/hooks'

/** How wide an element is, in whole pixels; 0 until that is known. */
export function useWidth<E extends HTMLElement>(): [MutableRef<E | null>, number] {
  const element = useRef<E>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return [element, width]
}
