import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { createTopology } from '@facekit/mesh'
import { antialias, interpolate, interpolateDerivatives, rasterize, sampleTexture } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import { beforeAll, it } from 'vitest'
import { describeBackends, read } from './backends.js'
import { expectGolden } from './golden.js'
import { clipFromPixels, dome, jitteredGrid } from './meshes.js'

const size = { width: 48, height: 40 }

/** Clip coordinates of a point seen from the origin along -z, between 0.5 and 30. */
const project = (x: number, y: number, z: number) => [x, y, (-30.5 * z - 30) / 29.5, -z]

/** A colour for each triangle of a picture. */
function idColors(ids: tf.Tensor3D): tf.Tensor4D {
  const channel = (period: number) => tf.div(tf.add(tf.mod(tf.cast(ids, 'float32'), period), 1), period)
  return tf.stack([channel(3), channel(5), channel(7)], 3) as tf.Tensor4D
}

/** Two floors, above and below the eye, that begin behind it: triangles, clip coordinates and texture coordinates. */
function floors() {
  const points = [
    [-20, -1, 5],
    [20, -1, 5],
    [0, -1, -25],
    [-20, 2, 5],
    [20, 2, 5],
    [0, 2, -25],
  ]
  return {
    triangles: Int32Array.of(0, 1, 2, 3, 5, 4),
    clip: tf.tensor3d([points.map(([x, y, z]) => project(x, y, z))]),
    uv: tf.tensor2d(points.map(([x, , z]) => [x / 4, z / 4])),
  }
}

const scenes: Record<string, () => tf.Tensor4D> = {
  'dome-antialiased': () => {
    const { clip, triangles, vertexCount } = dome(14)
    const vertices = tf.tensor3d(clip, [1, vertexCount, 4])
    const fragments = rasterize(vertices, triangles, size)
    const colors = tf.add(
      tf.mul(tf.slice(vertices, [0, 0, 0], [1, -1, 3]), [0.15, 0.15, 0.4]),
      [0.5, 0.5, -1],
    )
    const picture = interpolate(colors as tf.Tensor3D, fragments, triangles)
    return antialias(picture, fragments, vertices, createTopology(triangles, vertexCount))
  },
  'shared-edges': () => {
    // A power of two, so that vertices at quarters of pixels are exactly there, many on centres.
    const { points, triangles } = jitteredGrid(9, 32, 5)
    const square = { width: 32, height: 32 }
    return idColors(rasterize(clipFromPixels(points, 32, 32), triangles, square).triangleIds)
  },
  'crowd-through-the-near-plane': () => {
    const random = createRandom(21)
    const clip = Array.from({ length: 120 }, () =>
      project(random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-8, 2)),
    )
    const triangles = Int32Array.from({ length: 120 }, (_, i) => i)
    return idColors(rasterize(tf.tensor3d([clip]), triangles, size).triangleIds)
  },
  'depth-of-crossing-triangles': () => {
    const clip = clipFromPixels(
      [
        [2, 3, -0.9, 1],
        [4, 38, 0.9, 2],
        [46, 20, 0.5, 0.7],
        [45, 2, -0.8, 1],
        [40, 39, 0.2, 3],
        [1, 22, 0.8, 1],
      ],
      48,
      40,
    )
    const { depth, barycentrics } = rasterize(clip, Int32Array.of(0, 1, 2, 3, 4, 5), size)
    const gray = tf.div(tf.add(depth, 1), 2)
    return tf.concat([gray, tf.slice(barycentrics, [0, 0, 0, 0], [1, -1, -1, 2])], 3) as tf.Tensor4D
  },
  'floor-bilinear': () => {
    const { clip, uv, triangles } = floors()
    const look = interpolate(uv, rasterize(clip, triangles, size), triangles)
    return sampleTexture(checkers(), look, { wrap: 'repeat' })
  },
}

const mipScenes: Record<string, () => tf.Tensor4D> = {
  'floor-trilinear': () => {
    const { clip, uv, triangles } = floors()
    const fragments = rasterize(clip, triangles, size)
    const look = interpolate(uv, fragments, triangles)
    const uvDerivatives = interpolateDerivatives(uv, fragments, clip, triangles)
    return sampleTexture(checkers(), look, { wrap: 'mirror', filter: 'trilinear', uvDerivatives })
  },
}

/** A checkerboard of 12 x 10 texels with a colour of its own for each column and row. */
function checkers(): tf.Tensor4D {
  const texel = (row: number, column: number) =>
    ((row >> 1) + (column >> 1)) % 2 === 0 ? [1, row / 10, column / 12] : [0.1, 0.2, 0.3]
  const rows = Array.from({ length: 10 }, (_, r) => Array.from({ length: 12 }, (_, c) => texel(r, c)))
  return tf.tensor4d([rows])
}

describeBackends('stored pictures', (backend) => {
  beforeAll(() => useBackend(backend))
  // Vertices are rounded to float32 pixels on webgpu, and centres that are on an edge but for that may change sides.
  const edges = backend === 'webgpu' ? 4 : 0

  const check = async (name: string, render: () => tf.Tensor4D) => {
    let shape: number[] = []
    const values = await read(() => {
      const picture = render()
      shape = picture.shape
      return picture
    })
    await expectGolden(name, values, shape[2], shape[1], edges)
  }

  it.each(Object.entries(scenes))('value: %s', check)
  it.each(Object.entries(mipScenes))('value: %s', check)
})
