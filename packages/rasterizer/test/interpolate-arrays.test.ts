import { createRandom } from '@facekit/core'
import { computeOnHost } from '@facekit/kernels'
import {
  interpolateArrays,
  interpolateArraysToAttributes,
  interpolateArraysToBarycentrics,
  type InterpolatedPixels,
} from '@facekit/rasterizer'
import { testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const BATCH = 2
const PIXELS = 6
const VERTICES = 5
const CHANNELS = 3
const STEP = 5
const triangles = Int32Array.of(0, 1, 2, 2, 3, 4, 1, 3, 0)
/** The last triangle counts as background. */
const ids = Int32Array.of(0, -1, 1, 2, 1, 0, 1, 1, -1, 2, 0, 0)
const isSeen = (id: number) => id >= 0 && id < 2

const random = createRandom(3)
const normal = (length: number) => Float32Array.from({ length }, () => random.normal())
const attributes = normal(BATCH * VERTICES * CHANNELS)
const barycentrics = normal(BATCH * PIXELS * 3)
const upstream = normal(BATCH * PIXELS * STEP)

/** For each pixel and corner: place of the corner's attributes, place of its weight. */
function eachCorner(shared: boolean, visit: (q: number, vertex: number, weight: number) => void): void {
  ids.forEach((id, q) => {
    if (!isSeen(id)) return
    const first = shared ? 0 : Math.floor(q / PIXELS) * VERTICES
    for (let corner = 0; corner < 3; corner++) {
      visit(q, (first + triangles[3 * id + corner]) * CHANNELS, 3 * q + corner)
    }
  })
}

describe.each(testBackends)('interpolateArrays on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  /** Runs a loop on memory of the backend. */
  async function run(
    inputs: readonly (Float32Array | Int32Array)[],
    size: number,
    loop: (scene: InterpolatedPixels, arrays: Float32Array[], output: Float32Array) => void,
    shared = false,
  ): Promise<Float32Array> {
    const tensors = inputs.map((values) => tf.tensor1d(values))
    const output = [{ shape: [size], dtype: 'float32' as const }]
    const memory = tf.engine().backend
    const found = computeOnHost(
      memory,
      [tf.tensor1d(ids, 'int32'), ...tensors],
      output,
      (arrays, outputs) => {
        const [pixelIds, ...rest] = arrays
        const scene = {
          ids: pixelIds as Int32Array,
          triangles,
          batch: BATCH,
          vertices: VERTICES,
          channels: CHANNELS,
          shared,
          step: STEP,
          triangleCount: 2,
        }
        loop(scene, rest as Float32Array[], (outputs[0] as Float32Array).fill(9))
      },
    )
    return tf.engine().makeTensorFromTensorInfo(found[0]).data<'float32'>()
  }

  it.each([false, true])('value: the first channels of each pixel, shared attributes: %s', async (shared) => {
    const expected = Float32Array.from({ length: upstream.length }, (_, i) => (i % STEP < CHANNELS ? 0 : 9))
    const sums = new Float64Array(upstream.length)
    eachCorner(shared, (q, vertex, weight) => {
      for (let k = 0; k < CHANNELS; k++) sums[q * STEP + k] += barycentrics[weight] * attributes[vertex + k]
    })
    sums.forEach((sum, i) => (expected[i] += sum))
    const own = shared ? attributes.subarray(0, VERTICES * CHANNELS) : attributes
    const loop = (scene: InterpolatedPixels, [a, b]: Float32Array[], output: Float32Array) =>
      interpolateArrays(scene, a, b, output)
    expect(await run([own, barycentrics], upstream.length, loop, shared)).toEqual(expected)
  })

  it.each([false, true])('gradient: of both inputs, shared attributes: %s', async (shared) => {
    const own = shared ? attributes.subarray(0, VERTICES * CHANNELS) : attributes
    const toAttributes = new Float64Array(own.length)
    const toBarycentrics = new Float64Array(barycentrics.length)
    eachCorner(shared, (q, vertex, weight) => {
      for (let k = 0; k < CHANNELS; k++) {
        toAttributes[vertex + k] += barycentrics[weight] * upstream[q * STEP + k]
        toBarycentrics[weight] += attributes[vertex + k] * upstream[q * STEP + k]
      }
    })
    const first = await run(
      [barycentrics, upstream],
      own.length,
      (scene, [b, u], gradient) => interpolateArraysToAttributes(scene, b, u, gradient),
      shared,
    )
    const second = await run(
      [own, upstream],
      barycentrics.length,
      (scene, [a, u], gradient) => interpolateArraysToBarycentrics(scene, a, u, gradient),
      shared,
    )
    first.forEach((value, i) => expect(value).toBeCloseTo(toAttributes[i], 5))
    second.forEach((value, i) => expect(value).toBeCloseTo(toBarycentrics[i], 5))
  })
})
