import type { FaceViewerElement } from '@facekit/viewer'
import '@facekit/viewer'
import type { ViewerData } from '../../src/viewer-data.js'

/** Shows the face that the page carries. */
async function start(): Promise<void> {
  const text = document.querySelector('#facekit-scene')?.textContent
  const viewer = document.querySelector<FaceViewerElement>('facekit-viewer')
  if (!text || !viewer) throw new Error('This page has no face.')
  const { glb, capture } = JSON.parse(text) as ViewerData
  viewer.capture = capture
  await viewer.load(Uint8Array.from(atob(glb), (letter) => letter.charCodeAt(0)).buffer)
  document.documentElement.dataset.facekit = 'ready'
}

// The viewer tells in the page what went wrong.
start().catch((error: unknown) => console.error(error))
