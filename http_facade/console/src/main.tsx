import { render } from 'preact'
import { App } from './app'
import { recall } from './state/session'
import { preferred, speak } from './words/words'

async function start(root: HTMLElement): Promise<void> {
  await speak(preferred())
  void recall()
  render(<App />, root)
}

const root = document.getElementById('app')
if (root) void start(root)

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  // Without one everything works but opening the console while there is no network.
  void navigator.serviceWorker.register('/console/sw.js', { scope: '/console/' }).catch(() => undefined)
}
