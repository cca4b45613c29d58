import { shadeDiffuse } from '@facekit/illumination'
import { unpackParameters, type FaceParameters, type ParameterLayout } from '@facekit/parameters'
import { sampleTexture } from '@facekit/rasterizer'
import { defaultCamera, encodeGamma, rotationMatrix, transformVertices } from '@facekit/render'
import type { TrainingLoss } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints, SkinColors } from './face-points.js'
import type { RegressorBatch } from './regressor-batches.js'

/** How much each part of the loss counts. */
export const lossWeights = {
  /** Share of the differences between people that was not found. */
  identity: 2,
  /** Standard deviations; only what the mesh does not show. */
  coefficients: 0.05,
  /** mm of the expression, at rest pose. */
  expression: 0.5,
  /** Squared differences of blendshapes. */
  blendshapes: 2,
  /** Pixels of a picture of 224: across, and in depth. */
  points: 0.25,
  depths: 0.25,
  /** Pixels: between upper and lower lids and lips. */
  openings: 0.5,
  rotation: 0.5,
  /** Reflectance, in tenths, squared. */
  diffuse: 1,
  specular: 0.3,
  /** Encoded colour of the skin under the light that there was, in tenths, squared. */
  lit: 0.1,
  /** The same against the picture's pixels where skin is seen, not squared: cameras and files change colours, and a face wears those of its picture. */
  seen: 0.5,
  light: 0.1,
}

/** Name of a part of the loss. */
export type LossPart = keyof typeof lossWeights

/** Upper and lower lids, and upper and lower inner lips, of the 68. */
export const OPENINGS = [
  [37, 41],
  [38, 40],
  [43, 47],
  [44, 46],
  [61, 67],
  [62, 66],
  [63, 65],
] as const
const SIZE = 224
const FOCAL = SIZE / 2 / Math.tan(defaultCamera.fieldOfView / 2)
/** Weight of a point that is hidden. */
const HIDDEN = 0.5
/** Points farther outside of the picture than this many pixels don't count. */
const MARGIN = 8
const REFLECTANCE = 0.1
const COLOR = 0.1
/** About how much the light of pictures differs. */
const LIGHT = { sphericalHarmonics: 0.5, lightPosition: 700, lightColor: 0.7, shininess: 0.8 }
/** Rounds the tip of a distance at 0. */
const TIP = 0.1

/** Where the model's dense landmarks of found parameters are.
 *
 * @returns `[B, N, 3]` pixels of a picture of 224, and depths from their mean, as large as across
 */
export function seenPoints(found: FaceParameters, face: FacePoints): tf.Tensor3D {
  return tf.tidy(() => {
    const moved = transformVertices(shapeOf(found, face), found.pose)
    const [x, y, z] = tf.split(moved, 3, 2)
    const factor = tf.div(FOCAL, tf.maximum(tf.sub(defaultCamera.distance, z), 1))
    const across = [tf.add(tf.mul(x, factor), SIZE / 2), tf.sub(SIZE / 2, tf.mul(y, factor))]
    const middle = tf.mean(z, 1, true)
    const depth = tf.mul(tf.sub(z, middle), tf.div(FOCAL, tf.sub(defaultCamera.distance, middle)))
    return tf.concat([...across, depth], 2) as tf.Tensor3D
  })
}

function shapeOf({ identity, expression }: FaceParameters, face: FacePoints): tf.Tensor3D {
  const offsets = tf.add(tf.matMul(identity, face.identity), tf.matMul(expression, face.expression))
  return tf.reshape(tf.add(offsets, face.mean), [identity.shape[0], -1, 3])
}

/** `[B]` see `shapeMetric`. */
export const metricOf = (difference: tf.Tensor2D, metric: tf.Tensor2D): tf.Tensor1D =>
  tf.sum(tf.mul(tf.matMul(difference, metric), difference), 1)

/** `[B, 3 M]` reflectance of some of the skin. */
const reflectanceOf = (albedo: tf.Tensor2D, { mean, modes }: SkinColors['diffuse']) =>
  tf.add(tf.matMul(albedo, modes), mean)

/** `[B, M, 3]` encoded colour of some of the skin in its light, without highlights; and `[B, M, 1]` 1 where it faces the camera.
 *
 * @param rotation - `[B, 3]` of the head
 */
export function litSkin(
  { albedo, illumination }: FaceParameters,
  rotation: tf.Tensor2D,
  skin: SkinColors,
): { color: tf.Tensor3D; faces: tf.Tensor3D } {
  const batch = albedo.shape[0]
  const reflectance = tf.reshape(reflectanceOf(albedo, skin.diffuse), [batch, -1, 3]) as tf.Tensor3D
  const mean = tf.tile(tf.expandDims(skin.normals, 0), [batch, 1, 1])
  const normals = tf.matMul(mean, rotationMatrix(rotation), false, true) as tf.Tensor3D
  const light = shadeDiffuse(reflectance, normals, illumination.sphericalHarmonics)
  const faces = tf.cast(tf.greater(tf.slice(normals, [0, 0, 2], [-1, -1, 1]), 0.2), 'float32') as tf.Tensor3D
  return { color: encodeGamma(tf.clipByValue(light, 1e-3, 4)) as tf.Tensor3D, faces }
}

/** How far parameters are from those of rendered faces.
 *
 * @param weights - of the parts; those that are left out do not count
 * @returns total and parts before their weights
 */
export function regressorLoss(
  found: FaceParameters,
  face: FacePoints,
  [images, points, visibility, packed]: RegressorBatch,
  weights: Partial<Record<LossPart, number>> = lossWeights,
): TrainingLoss & { terms: Partial<Record<LossPart, tf.Scalar>> } {
  const truth = unpackParameters(packed, layoutOf(found))
  const seen = seenPoints(found, face)
  const offset = tf.sub(seen, points)
  const [across, depth] = [tf.slice(offset, [0, 0, 0], [-1, -1, 2]), tf.slice(offset, [0, 0, 2], [-1, -1, 1])]
  const counted = tf.mul(
    tf.mul(tf.add(tf.mul(visibility, 1 - HIDDEN), HIDDEN), withinPicture(points, images.shape[1])),
    face.weights,
  )
  const identity = tf.sub(found.identity, truth.identity) as tf.Tensor2D
  const expression = tf.sub(found.expression, truth.expression) as tf.Tensor2D
  const moved = tf.reshape(tf.matMul(expression, face.expression), [expression.shape[0], -1, 3])
  const tone = (part: 'diffuse' | 'specular') =>
    meanSquare(
      tf.matMul(tf.sub(found.albedo, truth.albedo) as tf.Tensor2D, face.skin[part].modes),
      REFLECTANCE,
    )
  const parts: Record<LossPart, () => tf.Scalar> = {
    identity: () => tf.mean(metricOf(identity, face.metrics.both)),
    coefficients: () => meanSquare(identity, 1),
    expression: () => tf.mean(tf.mul(length(moved, 2), face.weights)),
    blendshapes: () => meanSquare(expression, 1),
    points: () => weightedMean(length(across, 2), counted),
    depths: () => weightedMean(length(depth, 2), counted),
    openings: () => openings(across, visibility),
    rotation: () =>
      meanSquare(tf.sub(rotationMatrix(found.pose.rotation), rotationMatrix(truth.pose.rotation)), 0.3),
    diffuse: () => tone('diffuse'),
    specular: () => tone('specular'),
    lit: () => litError(found, truth, face),
    seen: () => {
      const batch: RegressorBatch = [images, points, visibility, packed]
      const { difference, shown } = pictureColorError(found, truth.pose.rotation, face, batch)
      return weightedMean(length(tf.div(difference, COLOR), 2), shown)
    },
    light: () => lightError(found.illumination, truth.illumination),
  }
  const entries = Object.entries(weights) as [LossPart, number][]
  const terms = Object.fromEntries(entries.map(([name]) => [name, parts[name]()]))
  const total = tf.addN(entries.map(([name, weight]) => tf.mul(terms[name], weight))) as tf.Scalar
  return { total, terms }
}

/** How far parameters are from those that another network found in the same pictures, in what one picture tells vaguely: the shape of the head and the
 * colour of its skin. A network that is sure where it can be says the mean of what is likely; truth is one draw of that, which a small network learns
 * much more slowly (Hinton et al., Distilling the Knowledge in a Neural Network, 2015).
 *
 * @differentiable found
 */
export function distillationLoss(
  found: FaceParameters,
  teacher: FaceParameters,
  face: FacePoints,
): tf.Scalar {
  const [identity, albedo] = (['identity', 'albedo'] as const).map(
    (name) => tf.sub(found[name], constant(teacher[name])) as tf.Tensor2D,
  )
  return tf.add(
    tf.mul(tf.mean(metricOf(identity, face.metrics.both)), 2 * lossWeights.identity),
    tf.mul(meanSquare(tf.matMul(albedo, face.skin.diffuse.modes), REFLECTANCE), lossWeights.diffuse),
  ) as tf.Scalar
}

/** The same numbers, through which no gradient flows. */
const constant = <T extends tf.Tensor>(x: T): T =>
  tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(x) as T

const layoutOf = ({ identity, expression, albedo }: FaceParameters): ParameterLayout => ({
  identity: identity.shape[1],
  expression: expression.shape[1],
  albedo: albedo.shape[1],
})

function litError(found: FaceParameters, truth: FaceParameters, face: FacePoints): tf.Scalar {
  const [a, b] = [found, truth].map((parameters) => litSkin(parameters, truth.pose.rotation, face.skin))
  return weightedMean(tf.mean(tf.square(tf.div(tf.sub(a.color, b.color), COLOR)), 2, true), a.faces)
}

/** The lit skin's colour less the picture's at those dense landmarks that lie on skin.
 *
 * @param rotation - `[B, 3]` true one
 * @returns `[B, M, 3]` differences, encoded; `[B, M]` 1 where the picture shows that point, 0 elsewhere
 */
export function pictureColorError(
  found: FaceParameters,
  rotation: tf.Tensor2D,
  { skinPoints }: FacePoints,
  [images, points, visibility]: RegressorBatch,
): { difference: tf.Tensor3D; shown: tf.Tensor2D } {
  const { color, faces } = litSkin(found, rotation, skinPoints)
  const size = images.shape[1]
  const places = tf.gather(points, skinPoints.indices, 1) as tf.Tensor3D
  const uv = tf.expandDims(tf.div(tf.slice(places, [0, 0, 0], [-1, -1, 2]), size), 1) as tf.Tensor4D
  // Noise and pores are no colour.
  const smooth = tf.avgPool(images, 3, 1, 'same')
  const pixels = tf.squeeze(sampleTexture(smooth, uv, { origin: 'upper-left' }), [1])
  const seen = tf.mul(tf.gather(visibility, skinPoints.indices, 1), withinPicture(places, size))
  return {
    difference: tf.sub(color, pixels) as tf.Tensor3D,
    shown: tf.mul(tf.squeeze(faces, [2]), seen) as tf.Tensor2D,
  }
}

function lightError(found: FaceParameters['illumination'], truth: FaceParameters['illumination']): tf.Scalar {
  return tf.addN([
    meanSquare(tf.sub(found.sphericalHarmonics, truth.sphericalHarmonics), LIGHT.sphericalHarmonics),
    meanSquare(tf.sub(found.lightPosition, truth.lightPosition), LIGHT.lightPosition),
    meanSquare(tf.sub(found.lightColor, truth.lightColor), LIGHT.lightColor),
    meanSquare(tf.sub(tf.log(found.shininess), tf.log(truth.shininess)), LIGHT.shininess),
  ])
}

/** Mean distance of the vectors from lower to upper lids and lips, where both are seen. */
function openings(across: tf.Tensor, visibility: tf.Tensor2D): tf.Scalar {
  const side = (tensor: tf.Tensor, which: 0 | 1) =>
    tf.concat(
      OPENINGS.map((pair) => tf.slice(tensor, [0, pair[which]], [-1, 1])),
      1,
    )
  const both = tf.mul(side(visibility, 0), side(visibility, 1))
  return weightedMean(length(tf.sub(side(across, 0), side(across, 1)), 2), both)
}

/** `[B, N]` 1 inside, 0 outside. */
function withinPicture(points: tf.Tensor3D, size: number): tf.Tensor2D {
  const places = tf.slice(points, [0, 0, 0], [-1, -1, 2])
  const inside = tf.logicalAnd(tf.greater(places, -MARGIN), tf.less(places, size + MARGIN))
  return tf.min(tf.cast(inside, 'float32'), 2)
}

const length = (offset: tf.Tensor, axis: number): tf.Tensor =>
  tf.sub(tf.sqrt(tf.add(tf.sum(tf.square(offset), axis), TIP ** 2)), TIP)

const meanSquare = (difference: tf.Tensor, unit: number): tf.Scalar =>
  tf.div(tf.mean(tf.square(difference)), unit ** 2)

const weightedMean = (values: tf.Tensor, weights: tf.Tensor): tf.Scalar =>
  tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1))
