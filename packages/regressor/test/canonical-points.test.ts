import { createRandom } from '@facekit/core'
import { canonicalPoints } from '@facekit/regressor'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const N = 30
const random = createRandom(11)
const normals = (count: number, deviation: number) =>
  Float32Array.from({ length: count }, () => random.normal(0, deviation))

/** Rows of Rz(roll) Ry(yaw) Rx(pitch). */
function rotation(pitch: number, yaw: number, roll: number): number[][] {
  const [sx, sy, sz] = [pitch, yaw, roll].map(Math.sin)
  const [cx, cy, cz] = [pitch, yaw, roll].map(Math.cos)
  return [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ]
}

describe('canonicalPoints', () => {
  let template: tf.Tensor2D
  let weights: tf.Tensor2D
  beforeAll(async () => {
    await useBackend('wasm')
    template = tf.tensor2d(normals(3 * N, 0.3), [N, 3])
    const shares = Float32Array.from({ length: 3 * N }, () => random.uniform(0.1, 1))
    weights = tf.tensor2d(shares, [3, N])
  })

  const turns = [rotation(0, 0, 0), rotation(0.4, -1.4, 0.3), rotation(-0.6, 1.1, -0.8)]
  const turned = (points: tf.Tensor3D, scale: number, center: readonly number[]) =>
    tf.add(tf.mul(tf.matMul(points, tf.tensor3d(turns), false, true), scale), center) as tf.Tensor3D

  it('value: finds how points were turned, scaled and moved, whatever the weights', () => {
    const same = tf.tile(tf.expandDims(template, 0), [3, 1, 1]) as tf.Tensor3D
    const found = canonicalPoints(turned(same, 0.7, [0.2, -0.1, 0.4]), weights, template)
    expect(tf.max(tf.abs(found.residuals)).dataSync()[0]).toBeLessThan(1e-4)
    found.rotation.dataSync().forEach((value, i) => expect(value).toBeCloseTo(turns.flat(2)[i], 4))
    found.scale.dataSync().forEach((value) => expect(value).toBeCloseTo(0.7, 4))
  })

  it('value: what differs from the template is left, turned back and scaled', () => {
    const offset = tf.tensor3d(normals(9 * N, 0.004), [3, N, 3])
    const points = tf.add(tf.expandDims(template, 0), offset) as tf.Tensor3D
    const plain = canonicalPoints(points, weights, template).residuals
    const moved = canonicalPoints(turned(points, 1.6, [-1, 2, 0.3]), weights, template).residuals
    const difference = tf.max(tf.abs(tf.sub(plain, moved))).dataSync()[0]
    expect(difference).toBeLessThan(1e-4)
    // Little of random differences is a motion.
    const left = tf.div(tf.norm(plain), tf.norm(offset)).dataSync()[0]
    expect(left).toBeGreaterThan(0.8)
    expect(left).toBeLessThan(1.01)
  })

  it('gradient: that of the residuals, with the motion held fast', () => {
    const same = tf.tile(tf.expandDims(template, 0), [3, 1, 1]) as tf.Tensor3D
    const points = turned(same, 2, [0, 0, 0])
    const pull = tf.tensor3d(normals(9 * N, 1), [3, N, 3])
    const gradient = tf.grad((x: tf.Tensor) =>
      tf.sum(tf.mul(canonicalPoints(x as tf.Tensor3D, weights, template).residuals, pull)),
    )(points)
    const expected = tf.div(tf.matMul(pull, tf.tensor3d(turns), false, true), 2)
    expect(tf.max(tf.abs(tf.sub(gradient, expected))).dataSync()[0]).toBeLessThan(1e-3)
  })
})
