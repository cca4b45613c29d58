// Keeps the page's files: what is kept is answered without the network, whose answers are kept in turn.
const FILES = [/* files */]
const CACHE = `facekit-${FILES.length}-${[...FILES.join()].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7)}`

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  )
})

addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  event.respondWith(answer(request))
})

async function answer(request) {
  const cache = await caches.open(CACHE)
  // A new page is asked for; without the internet the kept one will do.
  if (request.mode === 'navigate') return fetch(request).catch(() => cache.match('./'))
  const kept = await cache.match(request, { ignoreSearch: true })
  if (kept) return kept
  const response = await fetch(request)
  if (response.ok) await cache.put(request, response.clone())
  return response
}
