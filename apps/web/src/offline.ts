/** Keeps everything that the page needs, so that it works without the internet from then on. */
export async function keepForOffline(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  // What the first face needs is loaded first.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  await navigator.serviceWorker.register('./service-worker.js').catch(() => undefined)
}
