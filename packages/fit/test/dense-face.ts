import { createRandom } from '@facekit/core'
import type { DenseLandmarks } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import { createTinyFace } from '@facekit/testing'
import { pointBasis, projectPoints } from '@facekit/fit'
import ndarray from 'ndarray'

/** A tiny face with the 68 landmarks and every third vertex as dense landmarks. */
export function denseFace(): MorphableModel {
  const face = createTinyFace({ identity: 12 })
  const known = new Set(face.landmarks)
  const others = Array.from({ length: face.vertexCount }, (_, v) => v).filter(
    (v) => v % 3 === 0 && !known.has(v),
  )
  return { ...face, denseLandmarks: Int32Array.of(...face.landmarks, ...others) }
}

/** What a perfect network with errors of a known size would say of a face.
 *
 * @param state - pitch, yaw, roll, tx, ty, tz, log(scale), 0, identity, expression
 * @param deviations - pixels: across, and in depth
 */
export function seeDense(
  model: MorphableModel,
  state: Float64Array,
  [across, deep]: readonly [number, number],
  seed: number,
): DenseLandmarks {
  const random = createRandom(seed)
  const vertices = model.denseLandmarks!
  const count = vertices.length
  const basis = pointBasis(
    model,
    Array.from(vertices, (vertex) => [vertex]),
  )
  const chosen = Int32Array.from(basis.candidates, ([row]) => row)
  const seen = projectPoints(basis, state, chosen, {
    camera: defaultCamera,
    width: 224,
    height: 224,
    numbers: 3,
  })
  const at = (i: number, axis: number) => seen[3 * i + axis] + random.normal(0, axis === 2 ? deep : across)
  const positions = ndarray(
    Float32Array.from({ length: 2 * count }, (_, i) => at(i >> 1, i & 1)),
    [count, 2],
  )
  return {
    positions,
    deviations: new Float32Array(count).fill(across),
    depths: Float32Array.from({ length: count }, (_, i) => at(i, 2)),
    depthDeviations: new Float32Array(count).fill(deep),
    landmarks: ndarray(positions.data.slice(0, 136), [68, 2]),
  }
}

/** A random person in a random pose: identity N(0, 1), expressions exponentially distributed. */
export function randomState(model: MorphableModel, seed: number, mean = 0.1): Float64Array {
  const random = createRandom(seed)
  const { identity, expression } = model.layout
  return Float64Array.of(
    random.normal(0, 0.1),
    random.normal(0, 0.4),
    random.normal(0, 0.1),
    ...[5, 5, 5].map((deviation) => random.normal(0, deviation)),
    random.normal(0, 0.05),
    0,
    ...Array.from({ length: identity }, () => random.normal()),
    ...Array.from({ length: expression }, () => Math.min(1, -mean * Math.log(1 - random.uniform()))),
  )
}

/** `[N * 3]` mm. */
export function shapeOf(model: MorphableModel, coefficients: ArrayLike<number>): Float32Array {
  const { mean, identity, expression } = model.shape
  const shape = Float32Array.from(mean.data as Float32Array)
  const all = [identity, expression].flatMap(({ data, shape: [count] }) =>
    Array.from({ length: count }, (_, k) => data.slice(k * shape.length, (k + 1) * shape.length)),
  )
  all.forEach((mode, k) => {
    for (let i = 0; i < shape.length; i++) shape[i] += coefficients[k] * (mode as Float32Array)[i]
  })
  return shape
}
