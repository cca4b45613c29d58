import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { createTopology } from '@facekit/mesh'
import { type Fragments, antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import { describe, expect, it } from 'vitest'
import { readAll, webgpu } from './backends.js'
import { dome } from './meshes.js'

/** Largest difference, relative to the largest of the numbers. */
function difference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let [worst, largest] = [0, 1e-30]
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(expected[i] - actual[i]))
    largest = Math.max(largest, Math.abs(expected[i]))
  }
  return Number.isNaN(worst) ? Infinity : worst / largest
}

const uniform = (seed: number, length: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length }, () => random.uniform(-1, 1))
}

interface Mesh {
  clip: Float32Array
  vertexCount: number
  triangles: Int32Array
}

/** Large triangles at random, each of its own vertices. */
function shards(count: number): Mesh {
  const random = createRandom(5)
  const clip = Array.from({ length: 3 * count }, () => [
    random.uniform(-1.5, 1.5),
    random.uniform(-1.5, 1.5),
    random.uniform(-0.9, 0.9),
    1,
  ])
  const triangles = Int32Array.from({ length: 3 * count }, (_, i) => i)
  return { clip: Float32Array.from(clip.flat()), vertexCount: 3 * count, triangles }
}

/** Many triangles around one vertex. */
function fan(count: number): Mesh {
  const clip = [0.01, 0.02, 0, 1]
  const triangles: number[] = []
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count
    clip.push(0.8 * Math.cos(angle), 0.8 * Math.sin(angle), 0.1, 1)
    triangles.push(0, 1 + i, 1 + ((i + 1) % count))
  }
  return { clip: Float32Array.from(clip), vertexCount: count + 1, triangles: Int32Array.from(triangles) }
}

/** Gradients of vertices and attributes through the whole chain. */
async function gradients(backend: string, { clip, vertexCount, triangles }: Mesh, size: number, batch = 1) {
  await useBackend(backend)
  const topology = createTopology(triangles, vertexCount)
  const vertices = tf.tile(tf.tensor3d(clip, [1, vertexCount, 4]), [batch, 1, 1])
  const attributes = tf.tensor3d(uniform(1, vertexCount * 2), [1, vertexCount, 2])
  const upstream = tf.tensor4d(uniform(2, batch * size * size * 2), [batch, size, size, 2])
  const render = (x: tf.Tensor, a: tf.Tensor) => {
    const fragments = rasterize(x as tf.Tensor3D, triangles, { width: size, height: size })
    const image = interpolate(a as tf.Tensor3D, fragments, triangles)
    return antialias(image, fragments, x as tf.Tensor3D, topology)
  }
  const { value, grads } = tf.valueAndGrads(render)([vertices, attributes], upstream)
  const arrays = await readAll(grads)
  tf.dispose([vertices, attributes, upstream, value, ...grads])
  return arrays
}

describe.skipIf(!webgpu)('gradients on webgpu', () => {
  const meshes: [string, Mesh, number, number][] = [
    ['large triangles', shards(12), 40, 2],
    ['triangles of more pixels than a thread looks through, in a large picture', dome(18), 260, 1],
    ['a thousand triangles around a vertex', fan(1000), 40, 1],
  ]
  it.each(meshes)('value: %s, as on cpu, and the same bits in each run', async (_, mesh, size, batch) => {
    const expected = await gradients('cpu', mesh, size, batch)
    const actual = await gradients('webgpu', mesh, size, batch)
    await assertHealthy()
    expect(difference(expected[0], actual[0])).toBeLessThan(1e-3)
    expect(difference(expected[1], actual[1])).toBeLessThan(1e-4)
    expect(await gradients('webgpu', mesh, size, batch)).toEqual(actual)
  })

  it.each([13, 64])('value: %i attributes, shared by the batch or not', async (channels) => {
    const { clip, vertexCount, triangles } = dome(7)
    const run = async (backend: string) => {
      await useBackend(backend)
      const vertices = tf.tile(tf.tensor3d(clip, [1, vertexCount, 4]), [5, 1, 1])
      const fragments = rasterize(vertices, triangles, { width: 13, height: 11 })
      const upstream = tf.tensor4d(uniform(3, 5 * 143 * channels), [5, 11, 13, channels])
      const results: tf.Tensor[] = []
      for (const items of [1, 5]) {
        const attributes = tf.tensor3d(uniform(4, items * vertexCount * channels), [
          items,
          vertexCount,
          channels,
        ])
        const render = (a: tf.Tensor, b: tf.Tensor) =>
          interpolate(a as tf.Tensor3D, { ...fragments, barycentrics: b as tf.Tensor4D }, triangles)
        const { value, grads } = tf.valueAndGrads(render)([attributes, fragments.barycentrics], upstream)
        results.push(value, ...grads)
      }
      return readAll(results)
    }
    const [expected, actual] = [await run('cpu'), await run('webgpu')]
    expect(expected.map((values, i) => difference(values, actual[i])).filter((d) => !(d < 1e-5))).toEqual([])
  })

  it('value: more triangles seen in large boxes than there are places for', async () => {
    // Each at two pixels, far from each other, which no rasterizer would do.
    const [size, count] = [64, 2048]
    const random = createRandom(8)
    const order = Array.from({ length: count }, (_, i) => ({ i, key: random.uniform() }))
    const ids = [...Array(count).keys(), ...order.sort((a, b) => a.key - b.key).map(({ i }) => i)]
    const triangles = Int32Array.from({ length: 3 * count }, (_, i) => (i * 7) % 500)
    const run = async (backend: string) => {
      await useBackend(backend)
      const fragments: Fragments = {
        triangleIds: tf.tensor3d(ids, [1, size, size], 'int32'),
        barycentrics: tf.tensor4d(uniform(6, size * size * 3), [1, size, size, 3]),
        depth: tf.zeros([1, size, size, 1]),
      }
      const upstream = tf.tensor4d(uniform(7, size * size * 3), [1, size, size, 3])
      const render = (a: tf.Tensor) => tf.mul(interpolate(a as tf.Tensor3D, fragments, triangles), upstream)
      const [gradient] = await readAll([tf.grad(render)(tf.zeros([1, 500, 3]))])
      return gradient
    }
    const [expected, actual] = [await run('cpu'), await run('webgpu')]
    expect(difference(expected, actual)).toBeLessThan(1e-5)
    expect(await run('webgpu')).toEqual(actual)
  })
})
