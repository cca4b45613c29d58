// What a user's page does: the snippet of the README, then the labels of a photograph. The result goes to the window.
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

globalThis.facekit = main().catch((error) => ({ error: String(error?.stack ?? error) }))
