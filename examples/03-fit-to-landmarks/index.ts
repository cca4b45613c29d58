// A face that meets 68 landmarks: pose, identity and expression by a gradient descent of one's own.
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import {
  type FaceParameters,
  disposeParameters,
  neutralParameters,
  packParameters,
  parameterSegments,
  unpackParameters,
} from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { composePanels, encodePng } from '@facekit/export'
import { fitLandmarks, landmarkError } from '@facekit/fit'
import { landmarkLoss, regularizationLoss } from '@facekit/losses'
import { evaluateShape, sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import { defaultCamera, projectLandmarks, renderFace, transformVertices } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'

const size = { width: 224, height: 224 }

/** 1. From parameters to landmarks, `[1, 68, 2]` pixels. Every step of the way has a gradient. */
function landmarksOf(model: MorphableModel, parameters: FaceParameters): tf.Tensor3D {
  return tf.tidy(() => {
    const { pose } = parameters
    const vertices = transformVertices(evaluateShape(model, parameters), pose)
    const view = { ...size, camera: defaultCamera, contour: 'visible' as const, rotation: pose.rotation }
    return projectLandmarks(vertices, model, view)
  })
}

/** 2. Gradient descent: a variable, how parameters come of it, a loss, an optimizer. The caller disposes the parameters. */
function descend(model: MorphableModel, target: tf.Tensor3D, iterations: number): FaceParameters {
  // All parameters are one row of numbers. A step of the optimizer should matter alike in each, so millimetres go by the
  // hundred; what landmarks say nothing of (albedo, light) stays as it is.
  const steps = { identity: 1, expression: 1, rotation: 1, translation: 100, scale: 1 } as Record<
    string,
    number
  >
  const step = parameterSegments(model.layout).flatMap(({ name, size }) => Array(size).fill(steps[name] ?? 0))
  const neutral = neutralParameters(model.layout)
  const start = packParameters(neutral) // [1, P]
  const moved = tf.tidy(() => tf.variable(tf.zerosLike(start)))
  const decode = () => unpackParameters(tf.add(start, tf.mul(moved, [step])), model.layout)

  const optimizer = tf.train.adam(0.03)
  for (let i = 0; i < iterations; i++) {
    optimizer.minimize(() => {
      const parameters = decode()
      const distance = landmarkLoss(target, landmarksOf(model, parameters), Array(68).fill(1)) // pixels
      // Of all faces that meet 68 points, the likely one; expressions of this model go from 0 to 1.
      const unlikely = regularizationLoss(parameters, { expression: 4, albedo: 0 })
      const negative = tf.sum(tf.square(tf.relu(tf.neg(parameters.expression))))
      return tf.addN([distance, tf.mul(unlikely, 5e-3), negative]) as tf.Scalar
    })
  }
  const parameters = tf.tidy(decode)
  disposeParameters(neutral)
  optimizer.dispose()
  tf.dispose([start, moved])
  return parameters
}

/** A face that nobody has, its head turned: what is to be found. */
function inventFace(model: MorphableModel, seed: number): FaceParameters {
  const neutral = neutralParameters(model.layout)
  const random = sampleCoefficients(model.layout, {
    seed,
    deviation: 0.7,
    expressionRange: model.shape.expressionRange,
  })
  tf.dispose([neutral.identity, neutral.expression, neutral.albedo, neutral.pose.rotation])
  return { ...neutral, ...random, pose: { ...neutral.pose, rotation: tf.tensor2d([[-0.1, 0.4, 0.1]]) } }
}

/** Finds a face of which only 68 landmarks are known, by gradient descent and, for comparison, by `fitLandmarks`. */
export async function fitToLandmarks(
  seed = 5,
  iterations = 150,
): Promise<{ before: number; descended: number; fitted: number; png: Uint8Array }> {
  const model = await loadBaseModel()
  const [wanted, neutral] = [inventFace(model, seed), neutralParameters(model.layout)]
  const target = landmarksOf(model, wanted)
  const points = ndarray((await target.data()) as Float32Array, [68, 2])
  // 3. NME: the mean distance, as a share of the size of the face.
  const errorOf = (found: FaceParameters) =>
    tf.tidy(() => landmarkError(landmarksOf(model, found).dataSync(), points))

  const found = descend(model, target, iterations)
  // 4. The same by Gauss and Newton: no tensors, 50 ms.
  const { landmarks } = fitLandmarks(points, model)

  // 5. What was to be found and what was: the landmarks agree; what they do not tell (colour, cheeks) does not.
  const pictures = [wanted, neutral, found].map((face) => {
    const image = tf.tidy(() => renderFace(model, face, { ...size, background: 0.1 }).image.dataSync())
    return drawPoints(ndarray(image as Float32Array, [224, 224, 3]), points)
  })
  const png = encodePng(composePanels(pictures, ['wanted', 'start', 'found']))
  const result = {
    before: errorOf(neutral),
    descended: errorOf(found),
    fitted: landmarkError(landmarks, points),
    png,
  }
  for (const face of [wanted, neutral, found]) disposeParameters(face)
  target.dispose()
  return result
}

function drawPoints(picture: NdArray<Float32Array>, points: NdArray<Float32Array>): NdArray<Float32Array> {
  for (let i = 0; i < 68; i++) {
    const [x, y] = [Math.floor(points.get(i, 0)), Math.floor(points.get(i, 1))]
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ])
      // prettier-ignore
      [0.2, 1, 0.3].forEach((value, channel) => picture.set(y + dy, x + dx, channel, value))
  }
  return picture
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { writeFile } = await import('node:fs/promises')
  const { backend } = await initEngine({ backend: 'wasm' })
  const [seed = '5', path = 'landmarks.png'] = process.argv.slice(2)
  const { before, descended, fitted, png } = await fitToLandmarks(Number(seed))
  await writeFile(path, png)
  const percent = (error: number) => `${(100 * error).toFixed(2)} %`
  console.log(`on ${backend}: landmark error ${percent(before)} before, ${percent(descended)} after descent`)
  console.log(`fitLandmarks: ${percent(fitted)}; the picture is in ${path}`)
}
