import * as tf from '@tensorflow/tfjs-core'
import { BackendError, createRandom } from '@facekit/core'
import { antialias, createTopology, interpolate, rasterize, sampleTexture } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import { expect, it } from 'vitest'
import { dome } from './meshes.js'

/** Every number of a small scene: pictures and gradients. */
async function run(backend: string): Promise<number[][]> {
  await useBackend(backend)
  const mesh = dome(20)
  const random = createRandom(3)
  const topology = createTopology(mesh.triangles, mesh.vertexCount)
  const values = (size: number) => Float32Array.from({ length: size }, () => random.uniform())
  const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
  const colors = tf.tensor3d(values(mesh.vertexCount * 3), [1, mesh.vertexCount, 3])
  const draw = (x: tf.Tensor, c: tf.Tensor) => {
    const fragments = rasterize(x as tf.Tensor3D, mesh.triangles, { width: 30, height: 26 })
    const image = interpolate(c as tf.Tensor3D, fragments, mesh.triangles)
    return antialias(image, fragments, x as tf.Tensor3D, topology)
  }
  const { value, grads } = tf.valueAndGrads(draw)(
    [clip, colors],
    tf.tensor4d(values(30 * 26 * 3), [1, 26, 30, 3]),
  )
  return [value, ...grads].map((tensor) => Array.from(tensor.dataSync()))
}

it('throws: a clear error on webgpu, which has no kernels yet', async () => {
  // The name alone decides, so that no adapter is needed. First of all, while the cpu's kernels are the stock ones.
  tf.registerBackend('webgpu', () => tf.findBackendFactory('cpu')() as tf.KernelBackend)
  tf.copyRegisteredKernels('cpu', 'webgpu')
  await useBackend('webgpu')
  const clip = tf.zeros<tf.Rank.R3>([1, 3, 4])
  const picture = tf.zeros<tf.Rank.R4>([1, 2, 2, 2])
  const size = { width: 2, height: 2 }
  expect(() => rasterize(clip, Int32Array.of(0, 1, 2), size)).toThrow(BackendError)
  expect(() => rasterize(clip, Int32Array.of(0, 1, 2), size)).toThrow(/webgpu.*use wasm/)
  expect(() => sampleTexture(picture, picture)).toThrow(BackendError)
  tf.dispose([clip, picture])
})

it('value: cpu and wasm give the same numbers to the last bit', async () => {
  const [onCpu, onWasm] = [await run('cpu'), await run('wasm')]
  expect(onCpu[0].some((value) => value > 0)).toBe(true)
  expect(onWasm[0]).toEqual(onCpu[0])
  // Gradients of one tensor are added up by the backend's own addition, of float32 either way.
  expect(onWasm[1]).toEqual(onCpu[1])
  expect(onWasm[2]).toEqual(onCpu[2])
})
