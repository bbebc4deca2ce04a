import { effect, signal } from '@preact/signals'

/** What this browser remembers; nothing of it is secret. Storage may be forbidden, then it lasts as long as the page. */
function stored(name: string): string | null {
  try {
    return localStorage.getItem(`tidegate.${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tidegate.${name}`)
    else localStorage.setItem(`tidegate.${name}`, value)
  } catch {
    // As above.
  }
}

export type Theme = 'system' | 'light' | 'dark'
const known = stored('theme')
export const theme = signal<Theme>(known === 'light' || known === 'dark' ? known : 'system')

effect(() => {
  const chosen = theme.value
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  remember('theme', chosen === 'system' ? null : chosen)
})

/** Who signed in here last: fills the field, and says whether a session is worth asking for. */
export const lastName = signal(stored('name') ?? '')
effect(() => remember('name', lastName.value || null))

export { stored as remembered }
