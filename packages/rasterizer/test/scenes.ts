import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { createTopology } from '@facekit/mesh'
import { antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import { dome, jitteredGrid } from './meshes.js'

/** What is drawn to compare backends. */
export interface Scene {
  name: string
  clip: Float32Array
  batch: number
  triangles: Int32Array
  width: number
  height: number
  cull?: 'none' | 'back' | 'front'
}

/** Random triangles around an eye, as projected by a camera with near 0.5 and far 6: some reach behind it or beyond far. */
function surrounding(seed: number): Scene {
  const random = createRandom(seed)
  const [near, far, count] = [0.5, 6, 8]
  const clip: number[] = []
  for (let i = 0; i < 3 * count; i++) {
    const [x, y, z] = [random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-8, 2)]
    clip.push(x, y, (-(far + near) * z - 2 * far * near) / (far - near), -z)
  }
  return {
    name: `surrounding ${seed}`,
    clip: Float32Array.from(clip),
    batch: 1,
    triangles: Int32Array.from({ length: 3 * count }, (_, i) => i),
    width: 27,
    height: 22,
  }
}

/** A sheet of triangles, tiny to large, shared edges, in perspective. */
function sheet(seed: number): Scene {
  const random = createRandom(seed)
  const { points, triangles } = jitteredGrid(3 + 3 * (seed % 4), 1, seed)
  const clip = points.flatMap(([x, y]) => {
    const w = random.uniform(0.8, 1.6)
    const jitter = () => random.uniform(-0.01, 0.01)
    return [(2.4 * x - 1.2 + jitter()) * w, (2.4 * y - 1.2 + jitter()) * w, random.uniform(-0.4, 0.4) * w, w]
  })
  const size = { width: 24 + seed, height: 31 - seed }
  return { name: `sheet ${seed}`, clip: Float32Array.from(clip), batch: 1, triangles, ...size }
}

/** The scenes on which backends are compared. */
export function scenes(): Scene[] {
  const mesh = dome(20)
  const both = Float32Array.from([...mesh.clip, ...mesh.clip.map((v, i) => (i % 4 === 0 ? -0.8 * v : v))])
  const huge = dome(6)
  const half = { width: 30, height: 26 }
  return [
    { name: 'dome', clip: both, batch: 2, triangles: mesh.triangles, ...half },
    { name: 'dome, fronts', clip: both, batch: 2, triangles: mesh.triangles, ...half, cull: 'back' },
    {
      name: 'dome in units of 1e20',
      clip: huge.clip.map((v) => v * 1e20),
      batch: 1,
      triangles: huge.triangles,
      ...half,
    },
    {
      name: 'dome, closer',
      clip: huge.clip.map((v, i) => (i % 4 < 2 ? 4 * v : v)),
      batch: 1,
      triangles: huge.triangles,
      ...half,
    },
    ...[1, 2, 3, 4, 5].map(sheet),
    ...[11, 12, 13, 14, 15, 16].map(surrounding),
  ]
}

/** Everything that a backend makes of a scene: ids, depth, barycentrics, picture, gradients of vertices and of colours. */
export async function runScene(backend: string, scene: Scene): Promise<number[][]> {
  await useBackend(backend)
  const { clip: values, batch, triangles, width, height, cull } = scene
  const count = values.length / 4 / batch
  const random = createRandom(3)
  const uniform = (size: number) => Float32Array.from({ length: size }, () => random.uniform())
  const topology = createTopology(triangles, count)
  const clip = tf.tensor3d(values, [batch, count, 4])
  const colors = tf.tensor3d(uniform(count * 3), [1, count, 3])
  const seen = rasterize(clip, triangles, { width, height, cull })
  const render = (x: tf.Tensor, c: tf.Tensor) => {
    const fragments = rasterize(x as tf.Tensor3D, triangles, { width, height, cull })
    const image = interpolate(c as tf.Tensor3D, fragments, triangles)
    return antialias(image, fragments, x as tf.Tensor3D, topology)
  }
  const upstream = tf.tensor4d(uniform(batch * width * height * 3), [batch, height, width, 3])
  const { value, grads } = tf.valueAndGrads(render)([clip, colors], upstream)
  const tensors = [seen.triangleIds, seen.depth, seen.barycentrics, value, ...grads]
  const arrays: number[][] = []
  for (const tensor of tensors) arrays.push(Array.from(await tensor.data()))
  tf.dispose([clip, colors, upstream, ...tensors])
  return arrays
}
