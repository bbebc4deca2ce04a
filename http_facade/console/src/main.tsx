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
if (root) {
  start(root).catch(() => {
    // Not even the words have come, so these are the only ones.
    root.setAttribute('role', 'alert')
    root.textContent = 'The Tidegate console could not be loaded whole. Look at the network, then load this page again.'
  })
}

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  // Without one everything works but opening the console while there is no network.
  void navigator.serviceWorker.register('/console/sw.js', { scope: '/console/' }).catch(() => undefined)
}
