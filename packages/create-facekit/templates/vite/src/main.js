import '@facekit/viewer'
import { reconstruct } from 'facekit'

const status = document.querySelector('#status')
const viewer = document.querySelector('#viewer')
const download = document.querySelector('#download')

document.querySelector('#photo').addEventListener('change', async ({ target }) => {
  const [photo] = target.files
  if (!photo) return
  say('Starting…')
  try {
    // The work is done in a worker: the page stays alive.
    const face = await reconstruct(photo, { onProgress: ({ stage }) => say(`${stage}…`) })
    const glb = await face.glb()
    face.dispose()
    viewer.hidden = false
    await viewer.load(glb.buffer.slice(glb.byteOffset, glb.byteOffset + glb.byteLength))
    URL.revokeObjectURL(download.href)
    download.href = URL.createObjectURL(new Blob([glb], { type: 'model/gltf-binary' }))
    download.hidden = false
    say('Done. Drag to turn the face.')
  } catch (error) {
    say(error.message, true)
  }
})

function say(text, isError = false) {
  status.textContent = text
  status.classList.toggle('error', isError)
}
