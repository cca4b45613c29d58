import type { MorphableModel } from '@facekit/morphable'
import { vertexNormals } from '@facekit/mesh'
import * as tf from '@tensorflow/tfjs-core'
import { shapeMetric } from './shape-metric.js'

/** What of a face model the losses look at, on the backend. */
export interface FacePoints {
  /** `[3 N]` mm, `[Ki, 3 N]` and `[Ke, 3 N]` of the model's dense landmarks, of which the first 68 are those of iBUG. */
  mean: tf.Tensor1D
  identity: tf.Tensor2D
  expression: tf.Tensor2D
  /** `[N]` how much each counts: lids and lips more. Mean 1. */
  weights: tf.Tensor1D
  /** `[Ki, Ki]` see `shapeMetric`: of the whole face, of the inner landmarks, and of both. */
  metrics: Record<'face' | 'landmarks' | 'both', tf.Tensor2D>
  /** Of some vertices of the whole skin. */
  skin: SkinColors
  /** Of those dense landmarks that lie on skin, away from brows, lids and lips; and `[M]` which ones they are. */
  skinPoints: SkinColors & { indices: tf.Tensor1D }
  dispose(): void
}

/** Of M vertices: `[M, 3]` normals of the mean face, `[3 M]` mean colours, `[Kt, 3 M]` modes, linear RGB. */
export interface SkinColors {
  normals: tf.Tensor2D
  diffuse: { mean: tf.Tensor1D; modes: tf.Tensor2D }
  specular: { mean: tf.Tensor1D; modes: tf.Tensor2D }
}

/** iBUG's inner landmarks, and those of lids and lips among them. */
const INNER = [17, 68] as const
const LIDS_AND_LIPS = [36, 68] as const
const BROWS = [17, 27] as const
/** Points as near to these landmarks as that count so many times, mm. */
const NEAR = 8
const EMPHASIS = 3
/** Every so many vertices' colour is compared. */
const SKIN_STRIDE = 16

/** Puts what the losses need of a model on the backend.
 *
 * @memory the caller disposes
 */
export function facePoints(model: MorphableModel): FacePoints {
  const { denseLandmarks: points = model.landmarks, vertexCount, shape, albedo, layout } = model
  const pick = (data: ArrayLike<number>, modes: number, vertices: ArrayLike<number>) =>
    Float32Array.from({ length: modes * vertices.length * 3 }, (_, i) => {
      const [mode, point] = [Math.floor(i / (3 * vertices.length)), Math.floor(i / 3) % vertices.length]
      return data[(mode * vertexCount + vertices[point]) * 3 + (i % 3)]
    })
  const mean = pick(shape.mean.data, 1, points)
  const skin = Int32Array.from({ length: Math.floor(vertexCount / SKIN_STRIDE) }, (_, i) => i * SKIN_STRIDE)
  const tensor2d = (data: Float32Array, rows: number) => tf.tensor2d(data, [rows, data.length / rows || 0])
  const colors = (part: 'diffuse' | 'specular', vertices: Int32Array) => ({
    mean: tf.tensor1d(pick(albedo[`${part}Mean`].data, 1, vertices)),
    modes: tensor2d(pick(albedo[part].data, layout.albedo, vertices), layout.albedo),
  })
  const skinColors = (vertices: Int32Array): SkinColors => ({
    diffuse: colors('diffuse', vertices),
    specular: colors('specular', vertices),
    normals: skinNormals(model, vertices),
  })
  const onSkin = skinLandmarks(mean)
  const face = shapeMetric(
    model,
    Int32Array.from({ length: vertexCount }, (_, v) => v),
    vertexAreas(model),
  )
  const landmarks = shapeMetric(model, model.landmarks.slice(...INNER))
  const metric = (values: Float32Array) => tensor2d(values, layout.identity)
  const result = {
    mean: tf.tensor1d(mean),
    identity: tensor2d(pick(shape.identity.data, layout.identity, points), layout.identity),
    expression: tensor2d(pick(shape.expression.data, layout.expression, points), layout.expression),
    weights: tf.tensor1d(emphasis(mean)),
    metrics: {
      face: metric(face),
      landmarks: metric(landmarks),
      both: metric(face.map((value, i) => (value + landmarks[i]) / 2)),
    },
    skin: skinColors(skin),
    skinPoints: {
      ...skinColors(onSkin.map((point) => points[point])),
      indices: tf.tensor1d(onSkin, 'int32'),
    },
  }
  return { ...result, dispose: () => tf.dispose(result as unknown as tf.TensorContainer) }
}

function skinNormals(model: MorphableModel, vertices: Int32Array): tf.Tensor2D {
  return tf.tidy(() => {
    const mean = tf.tensor3d(Float32Array.from(model.shape.mean.data), [1, model.vertexCount, 3])
    const normals = tf.squeeze(vertexNormals(mean, model), [0])
    return tf.gather(normals, tf.tensor1d(vertices, 'int32')) as tf.Tensor2D
  })
}

/** Whether point k is within `NEAR` of one of these landmarks. */
function isNear(mean: Float32Array, k: number, [from, to]: readonly [number, number]): boolean {
  const at = (point: number) => mean.subarray(3 * point, 3 * point + 3)
  const [x, y, z] = at(k)
  for (let l = from; l < to; l++) {
    const [a, b, c] = at(l)
    if (Math.hypot(x - a, y - b, z - c) < NEAR) return true
  }
  return false
}

/** Points that have the colour of skin, whoever it is. */
const skinLandmarks = (mean: Float32Array): Int32Array =>
  Int32Array.from({ length: mean.length / 3 }, (_, k) => k).filter(
    (k) => k >= INNER[0] && !isNear(mean, k, LIDS_AND_LIPS) && !isNear(mean, k, BROWS),
  )

/** `[N]` */
function emphasis(mean: Float32Array): Float32Array {
  const values = Float32Array.from({ length: mean.length / 3 }, (_, k) =>
    isNear(mean, k, LIDS_AND_LIPS) ? EMPHASIS : 1,
  )
  const average = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value / average)
}

/** `[vertexCount]` a third of the triangles around each vertex of the mean face, mm^2. */
function vertexAreas({ triangles, vertexCount, shape }: MorphableModel): Float64Array {
  const areas = new Float64Array(vertexCount)
  const { data } = shape.mean
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => [0, 1, 2].map((axis) => data[3 * triangles[t + k] + axis]))
    const [u, v] = [b, c].map((point) => point.map((value, axis) => value - a[axis]))
    const cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    for (let k = 0; k < 3; k++) areas[triangles[t + k]] += Math.hypot(...cross) / 6
  }
  return areas
}
