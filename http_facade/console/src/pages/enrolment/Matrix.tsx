import { useEffect, useState } from 'preact/hooks'
import { Skeleton } from '../../parts/Skeleton'

/** So many modules of nothing around it, without which cameras do not find it. */
const QUIET = 4

/** A text as a QR code, drawn here: what is secret in it goes nowhere. Dark on light in every theme, as cameras expect. */
export function Matrix({ text, label }: { text: string; label: string }) {
  const [modules, setModules] = useState<boolean[][]>()
  useEffect(() => {
    let wanted = true
    void import('uqr').then(({ encode }) => {
      if (wanted) setModules(encode(text, { border: 0, ecc: 'M' }).data)
    })
    return () => {
      wanted = false
    }
  }, [text])
  if (!modules) return <Skeleton lines={1} blockSize="12rem" />
  const size = modules.length + 2 * QUIET
  return (
    <svg class="matrix" viewBox={`0 0 ${size} ${size}`} role="img" shape-rendering="crispEdges">
      <title>{label}</title>
      <rect class="matrix-ground" width={size} height={size} />
      <path class="matrix-dark" d={path(modules)} />
    </svg>
  )
}

export function path(modules: readonly (readonly boolean[])[]): string {
  return modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ''))).join('')
}
