/**
 * Keeps the shell, so that the console opens at the pond without a network and can say so. It never keeps an answer of
 * the API: what is shown as known must have been heard, not remembered.
 */
export type {} // a module, so that its names are its own

declare const self: ServiceWorkerGlobalScope

/** Written in by the build: its version and files. */
const { version, files } = JSON.parse('__SHELL__') as { version: string; files: string[] }
const CACHE = `shell-${version}`
const HOME = '/console/'

self.addEventListener('install', event => {
  event.waitUntil(caches.open(CACHE).then(cache => cache.addAll(files.map(name => HOME + name))))
})

self.addEventListener('activate', event => {
  event.waitUntil(
    caches.keys().then(names => Promise.all(names.filter(name => name !== CACHE).map(name => caches.delete(name)))),
  )
})

self.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin || !pathname.startsWith(HOME)) return
  if (request.mode === 'navigate') {
    // The newest shell where there is a network; the one that is kept where there is none.
    event.respondWith(fetch(request).catch(async () => (await kept(HOME)) ?? Response.error()))
  } else if (files.includes(pathname.slice(HOME.length))) {
    event.respondWith(kept(pathname).then(found => found ?? fetch(request)))
  }
})

async function kept(path: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(path)
}
