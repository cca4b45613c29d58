// A face that nobody has: random coefficients of the base model, lit and rendered to a PNG.
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { sampleCoefficients } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'

const size = 448

/** Renders the face of a seed: the picture, its diffuse and its specular light, side by side. */
export async function renderRandomFace(seed: number): Promise<Uint8Array> {
  const model = await loadBaseModel()
  // 1. Neutral parameters: the mean face, looking at the camera, in white light.
  const neutral = neutralParameters(model.layout)
  // 2. Another identity, expression and skin; `deviation` below 1 stays nearer to the mean face.
  const { expressionRange } = model.shape
  const random = sampleCoefficients(model.layout, { seed, deviation: 0.8, expressionRange })
  const { identity, expression, albedo } = random
  // 3. A turned head (radians), light that falls from above, and a highlight.
  const parameters: FaceParameters = {
    identity,
    albedo,
    expression: tf.tidy(() => tf.mul(expression, 0.4)),
    pose: { ...neutral.pose, rotation: tf.tensor2d([[0.05, 0.35, -0.05]]) },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tidy(() => {
        const above = tf.concat(
          [tf.zeros([1, 1, 3]), tf.tensor3d([[[0.6, 0.6, 0.6]]]), tf.zeros([1, 7, 3])],
          1,
        )
        return tf.add(neutral.illumination.sphericalHarmonics, above) as tf.Tensor3D
      }),
    },
  }
  // 4. Every picture comes out of one call, and each has a gradient with respect to each parameter.
  const rendering = renderFace(model, parameters, { width: size, height: size, background: 0.15 })
  const row = tf.tidy(() => tf.concat([rendering.image, rendering.diffuse, rendering.specular], 2))
  const data = Uint8Array.from(await row.data(), (value) => Math.round(value * 255))
  // 5. Tensors are freed by hand.
  tf.dispose([row, expression, { ...rendering, fragments: { ...rendering.fragments } }])
  disposeParameters(neutral)
  disposeParameters(parameters)
  return encode({ width: size * 3, height: size, channels: 3, depth: 8, data })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { backend } = await initEngine({ backend: 'wasm' })
  const [seed = '1', path = 'face.png'] = process.argv.slice(2)
  await writeFile(path, await renderRandomFace(Number(seed)))
  console.log(`rendered face ${seed} on ${backend} to ${path}`)
}
