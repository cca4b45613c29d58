import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { type Topology, createTopology } from '@facekit/mesh'
import { antialias, interpolate, rasterize, sampleTexture } from '@facekit/rasterizer'
import { expectNoLeak, useBackend } from '@facekit/testing'
import { expect, it } from 'vitest'
import { readAll, webgpu } from './backends.js'
import { dome } from './meshes.js'
import { runScene, scenes } from './scenes.js'

const names = ['ids', 'depth', 'barycentrics', 'picture', 'gradient of vertices', 'gradient of colours']

it('value: cpu and wasm give the same numbers to the last bit', async () => {
  for (const scene of scenes()) {
    const [onCpu, onWasm] = [await runScene('cpu', scene), await runScene('wasm', scene)]
    // Gradients of one tensor are added up by the backend's own addition, of float32 either way.
    expect({ scene, values: onWasm }).toEqual({ scene, values: onCpu })
  }
})

/** Largest difference of two arrays, relative to the largest of the numbers. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [worst, largest] = [0, 1e-6]
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(b[i])) return Infinity
    worst = Math.max(worst, Math.abs(a[i] - b[i]))
    largest = Math.max(largest, Math.abs(a[i]))
  }
  return worst / largest
}

it.skipIf(!webgpu)('value: webgpu agrees with cpu', async () => {
  for (const scene of scenes()) {
    const [onCpu, onGpu] = [await runScene('cpu', scene), await runScene('webgpu', scene)]
    await assertHealthy()
    expect(onGpu[0].some((id) => id >= 0)).toBe(true)
    // Vertices are rounded to float32 pixels, so centres within 1e-5 pixels of an edge may change sides: here none does.
    expect({ scene: scene.name, ids: onGpu[0] }).toEqual({ scene: scene.name, ids: onCpu[0] })
    const differences = names.map(
      (name, k) => [`${scene.name}: ${name}`, difference(onCpu[k], onGpu[k])] as const,
    )
    expect(differences.filter(([, size], k) => !(size < (k < 4 ? 1e-4 : 1e-3)))).toEqual([])
  }
})

it.skipIf(!webgpu)('value: webgpu gives the same bits in each run', async () => {
  const [scene] = scenes()
  const first = await runScene('webgpu', scene)
  for (let round = 0; round < 3; round++) expect(await runScene('webgpu', scene)).toEqual(first)
})

it.skipIf(!webgpu)('value: on webgpu large triangles fill the picture, however many they are', async () => {
  const random = createRandom(7)
  const count = 200
  const values = Array.from({ length: count }, () => {
    const z = random.uniform(-0.9, 0.9)
    return [-3, -3, z, 1, 3, -3, z, 1, random.uniform(-3, 3), 3, z, 1]
  }).flat()
  const triangles = Int32Array.from({ length: 3 * count }, (_, i) => i)
  const render = async (backend: string) => {
    await useBackend(backend)
    const clip = tf.tensor3d(values, [1, 3 * count, 4])
    return readAll([rasterize(clip, triangles, { width: 67, height: 45 }).triangleIds])
  }
  expect(await render('webgpu')).toEqual(await render('cpu'))
})

it.skipIf(!webgpu)('value: on webgpu gradients of very different size keep their digits', async () => {
  await useBackend('webgpu')
  const clip = tf.tensor3d([-1, 1, 0, 1, -1, -3, 0, 1, 3, 1, 0, 1], [1, 3, 4])
  const triangles = Int32Array.of(0, 1, 2)
  const fragments = rasterize(clip, triangles, { width: 4, height: 4 })
  const loss = (weights: tf.Tensor) => (a: tf.Tensor) =>
    tf.sum(tf.mul(interpolate(a as tf.Tensor3D, fragments, triangles), weights))
  const of = async (values: number[]) => {
    const gradient = tf.grad(loss(tf.tensor4d(values, [1, 4, 4, 1])))(tf.zeros([1, 3, 1]))
    return gradient.data()
  }
  const small = await of(Array.from({ length: 16 }, (_, i) => (i === 5 ? 0 : 1e-9)))
  const both = await of(Array.from({ length: 16 }, (_, i) => (i === 5 ? 1e-3 : 1e-9)))
  const large = await of(Array.from({ length: 16 }, (_, i) => (i === 5 ? 1e-3 : 0)))
  for (let i = 0; i < 3; i++) {
    expect(both[i]).toBeCloseTo(small[i] + large[i], 9)
    expect(small[i] / 1e-9).toBeGreaterThan(1)
  }
  expect([...(await of(Array.from({ length: 16 }, () => 0)))]).toEqual([0, 0, 0])
  const infinite = await of(Array.from({ length: 16 }, (_, i) => (i === 5 ? Infinity : 1)))
  expect([...infinite].some(Number.isFinite)).toBe(false)
})

it.skipIf(!webgpu)('memory: on webgpu only the mesh stays, as long as its arrays', async () => {
  await useBackend('webgpu')
  const mesh = dome(8)
  const topology: Topology = createTopology(mesh.triangles, mesh.vertexCount)
  const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
  const step = async () => {
    const gradient = tf.grad((x: tf.Tensor) => {
      const fragments = rasterize(x as tf.Tensor3D, mesh.triangles, { width: 9, height: 7 })
      const uv = interpolate(tf.slice(x as tf.Tensor3D, [0, 0, 0], [1, -1, 2]), fragments, mesh.triangles)
      const image = sampleTexture(tf.ones([1, 3, 3, 2]), uv as tf.Tensor4D)
      return tf.sum(antialias(image, fragments, x as tf.Tensor3D, topology))
    })(clip)
    await gradient.data()
    gradient.dispose()
  }
  await expectNoLeak(step)
  const buffers = () => tf.engine().backend.numDataIds()
  const before = buffers()
  await step()
  // The garbage collector may meanwhile have freed meshes of earlier tests: fewer is fine, more is a leak.
  expect(buffers()).toBeLessThanOrEqual(before)
})
