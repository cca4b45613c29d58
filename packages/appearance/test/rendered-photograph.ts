import type { FaceAnnotation, Picture } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import { neutralParameters, type FaceParameters } from '@facekit/parameters'
import { defaultCamera, renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import type { PhotographFit } from '@facekit/appearance'

/** What of a face a test sets. */
export interface FaceOptions {
  /** Yaw, radians. */
  yaw?: number
  /** `[9][3]`, default soft light from above. */
  harmonics?: number[][]
  /** Side of the photograph, pixels. Default 512. */
  size?: number
  /** Strength of a lamp beside the camera. Default: that of `neutralParameters`. */
  lamp?: number
  /** How far the jaw is open, 0..1. Default 0. */
  jaw?: number
  /** sRGB of what is between the lips, 0..255; by default as it is rendered. */
  teeth?: readonly number[]
}

const SOFT = Array.from({ length: 9 }, (_, b) => {
  const value = [3.1, 0.6, 0.5, 0.1][b] ?? 0.05
  return [value, value, value]
})

/** A face of the model in known light: its photograph, labelled perfectly, and its parameters. */
export async function renderedPhotograph(
  model: MorphableModel,
  { yaw = 0, harmonics = SOFT, size = 512, lamp, jaw = 0, teeth }: FaceOptions = {},
): Promise<{ photograph: Picture; fit: PhotographFit }> {
  const neutral = neutralParameters(model.layout)
  const parameters: FaceParameters = {
    ...neutral,
    ...(jaw > 0 && { expression: jawOpen(model, jaw) }),
    pose: { ...neutral.pose, rotation: tf.tensor2d([[0, yaw, 0]]) },
    illumination: {
      ...neutral.illumination,
      sphericalHarmonics: tf.tensor3d([harmonics]),
      ...(lamp !== undefined && { lightColor: tf.fill([1, 3], lamp) as tf.Tensor2D }),
    },
  }
  const rendering = renderFace(model, parameters, { width: size, height: size })
  const [image, landmarks, mouth] = await Promise.all(
    [rendering.image, rendering.landmarks, rendering.innerMouth].map((tensor) => tensor.data()),
  )
  const small = renderFace(model, parameters, { width: 224, height: 224 })
  const mask = ndarray(Float32Array.from(await small.mask.data()), [224, 224])
  const innerMouth = ndarray(Float32Array.from(await small.innerMouth.data()), [224, 224])
  const crop = ndarray(Float32Array.from(await small.image.data()), [224, 224, 3])
  tf.dispose([rendering, small] as unknown as tf.TensorContainer)
  const factor = 224 / size
  const annotation: FaceAnnotation = {
    box: { x: 0, y: 0, width: size, height: size },
    score: 1,
    landmarks: ndarray(Float32Array.from(landmarks), [68, 2]),
    alignment: {
      size: 224,
      transform: { scale: factor, rotation: 0, translation: [0, 0] },
      image: crop,
      landmarks: ndarray(
        Float32Array.from(landmarks, (value) => value * factor),
        [68, 2],
      ),
    },
    faceRegion: mask,
    innerMouth,
    skinProbability: mask,
    embedding: new Float32Array(128),
  }
  const photograph: Picture = ndarray(
    Uint8Array.from(image, (value, i) =>
      teeth && mouth[Math.floor(i / 3)] > 0.5 ? teeth[i % 3] : Math.round(255 * value),
    ),
    [size, size, 3],
  )
  return { photograph, fit: { parameters, camera: defaultCamera, annotation } }
}

function jawOpen(model: MorphableModel, weight: number): tf.Tensor2D {
  const mode = model.shape.expressionNames!.indexOf('jawOpen')
  return tf.tidy(() => tf.mul(tf.cast(tf.oneHot([mode], model.layout.expression), 'float32'), weight))
}
