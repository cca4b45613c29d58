import { createRandom } from '@facekit/core'
import { type FaceParameters, neutralParameters } from '@facekit/parameters'
import type { FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

/** Random but moderate parameters of one face. */
export function randomParameters(model: MorphableModel, seed: number): FaceParameters {
  const random = createRandom(seed)
  const neutral = neutralParameters(model.layout)
  const row = (length: number, deviation: number) =>
    tf.tensor2d([Array.from({ length }, () => random.normal(0, deviation))])
  const harmonics = Array.from({ length: 9 }, (_, b) => {
    const value = b === 0 ? 3.2 : random.normal(0, b < 4 ? 0.5 : 0.15)
    return [value, value, value]
  })
  return {
    ...neutral,
    identity: row(model.layout.identity, 0.7),
    albedo: row(model.layout.albedo, 0.7),
    pose: {
      rotation: row(3, 0.1),
      translation: row(3, 2),
      scale: tf.tensor2d([[1]]),
    },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([harmonics]),
      lightColor: tf.tensor2d([[0.3, 0.3, 0.3]]),
    },
  }
}

/** Renders a face and labels the picture perfectly, as if it were an annotated photograph of its own crop. */
export async function syntheticAnnotation(model: MorphableModel, parameters: FaceParameters, size = 112) {
  const rendering = renderFace(model, parameters, { width: size, height: size, contour: 'visible' })
  const array = async (tensor: tf.Tensor, shape: number[]) =>
    ndarray(Float32Array.from(await tensor.data()), shape)
  const image = await array(rendering.image, [size, size, 3])
  const landmarks = await array(rendering.landmarks, [68, 2])
  const mask = await array(rendering.mask, [size, size])
  const annotation: FaceAnnotation = {
    box: { x: 0, y: 0, width: size, height: size },
    score: 1,
    landmarks,
    alignment: { size, transform: { scale: 1, rotation: 0, translation: [0, 0] }, image, landmarks },
    faceRegion: mask,
    innerMouth: await array(rendering.innerMouth, [size, size]),
    skinProbability: mask,
    embedding: new Float32Array(128),
  }
  const picture = ndarray(
    Uint8Array.from(image.data, (value) => Math.round(255 * value)),
    [size, size, 3],
  )
  tf.dispose(rendering as unknown as tf.TensorContainer)
  return { annotation, picture }
}
