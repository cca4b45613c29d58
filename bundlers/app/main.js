// What a user's page does: the snippet of the README, then the labels of a photograph. The result goes to the window.
// With ?lost the files are elsewhere, where the server answers with a page.
import { annotate } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

async function main() {
  const { backend } = await initEngine({ backend: 'wasm' })
  const model = await loadBaseModel()
  const face = neutralParameters(model.layout)
  const brightness = (identity) =>
    tf.mean(renderFace(model, { ...face, identity }, { width: 64, height: 64 }).image)
  const gradient = await tf.grad(brightness)(face.identity).data()
  const faces = await annotate('/photograph.jpg')
  const { packages } = await import('./every-package.js')
  return {
    backend,
    gradient: Math.hypot(...gradient),
    faces: faces.length,
    landmarks: faces[0]?.landmarks.shape,
    packages,
  }
}

async function lost() {
  const message = (promise) => promise.then(String, (error) => error.message)
  return [
    await message(initEngine({ backend: 'wasm', wasmPaths: '/nowhere/' })),
    await message(loadBaseModel({ source: '/nowhere/model.safetensors' })),
  ]
}

globalThis.facekit = (location.search === '?lost' ? lost() : main()).catch((error) => ({
  error: String(error?.stack ?? error),
}))
