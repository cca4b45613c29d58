import { zeros, type Tensor3D } from '@tensorflow/tfjs-core'
import { ValueError, assertDataType, assertInteger, assertShape } from '@facekit/core'
import { defineKernel, float32, int32, isRecording } from '@facekit/kernels'
import { type Triangles, triangleIndices } from '@facekit/mesh'
import { barycentricsGradient } from './cpu/barycentrics-gradient.js'
import { rasterizeArrays } from './cpu/rasterize-arrays.js'
import type { Cull } from './cpu/scan-triangles.js'
import { rememberFootprints, type Fragments } from './fragments.js'
import { footprintSpecs } from './webgpu/footprints.js'
import { rasterizeOnGpu } from './webgpu/rasterize.js'
import { rasterizeGradientOnGpu } from './webgpu/rasterize-gradient.js'

/** Options of `rasterize`. */
export interface RasterizeOptions {
  /** W, pixels. */
  width: number
  /** H, pixels. */
  height: number
  /** Leave out triangles seen from their back (clockwise), their front, or none. Default `'none'`. */
  cull?: Cull
}

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
}

const LARGEST_SIDE = 16384

const fragmentSpecs = ({ clip: [batch] }: { clip: number[] }, { width, height }: Attributes) => ({
  triangleIds: int32([batch, height, width]),
  barycentrics: float32([batch, height, width, 3]),
  depth: float32([batch, height, width, 1]),
})

const kernel = defineKernel({
  name: 'FacekitRasterize',
  inputs: { clip: 'float32' },
  outputs: fragmentSpecs,
  constants: ['barycentrics', 'depth'],
  cpu({ clip }, { triangleIds: ids, ...arrays }, { clip: [batch, count] }, attributes: Attributes) {
    rasterizeArrays({ clip, batch, count, ...attributes }, { ids, ...arrays })
  },
  webgpu: (backend, inputs, outputs, attributes) => rasterizeOnGpu(backend, inputs, outputs, attributes),
})

const gradientKernel = defineKernel({
  name: 'FacekitRasterizeGradient',
  inputs: { clip: 'float32', ids: 'int32', upstream: 'float32', boxes: 'int32', tasks: 'int32' },
  outputs: ({ clip }) => ({ gradient: float32(clip) }),
  cpu({ clip, ids, upstream }, { gradient }, { clip: [batch, count] }, attributes: Attributes) {
    barycentricsGradient({ clip, batch, count, ...attributes }, ids, upstream, gradient)
  },
  webgpu: (backend, inputs, outputs, attributes) =>
    rasterizeGradientOnGpu(backend, inputs, outputs, attributes),
})

/** The same while a gradient is recorded: on WebGPU the footprints come on the way. */
const recordedKernel = defineKernel({
  name: 'FacekitRasterizeRecorded',
  inputs: { clip: 'float32' },
  outputs: (shapes, attributes: Attributes) => {
    const specs = fragmentSpecs(shapes, attributes)
    return { ...specs, ...footprintSpecs(specs.triangleIds.shape, attributes.triangles.length / 3) }
  },
  saves: ['clip', 'triangleIds', 'boxes', 'tasks'],
  constants: ['depth'],
  webgpu: (backend, inputs, outputs, attributes) => rasterizeOnGpu(backend, inputs, outputs, attributes),
  operations: ({ clip }, attributes) => ({
    ...kernel({ clip }, attributes),
    boxes: zeros([0], 'int32'),
    tasks: zeros([0], 'int32'),
  }),
  gradient: ({ upstream, saved: { clip, triangleIds: ids, boxes, tasks }, attributes }) => ({
    clip: () => gradientKernel({ clip, ids, upstream: upstream.barycentrics, boxes, tasks }, attributes),
  }),
})

/** Finds the nearest triangle at each pixel centre, and where in that triangle the centre lies.
 *
 * Pixel space has its origin at the top left and y down: x_px = (x / w + 1) W / 2, y_px = (1 - y / w) H / 2, pixel centres at
 * +0.5. This is the one place where y is flipped. Top-left rule: a pixel centre on an edge that two triangles share
 * belongs to exactly one of them. On equal depth the lower index wins. Triangles that cross the near or the far plane or reach
 * behind the eye are cut there; those that are degenerate or have a vertex that is not finite are left out.
 *
 * @param clipVertices - `[B, N, 4]` clip space as in OpenGL: visible where -w <= x, y, z <= w
 * @param triangles - `[F * 3]` indices or int32 `[F, 3]`; shared by the batch, and not to be changed later
 * @differentiable clipVertices, through the barycentrics only; *no visibility gradient* (see `antialias`), none through depth
 * @memory the caller owns the three results
 * @throws {ShapeError} when `clipVertices` is not `[B, N, 4]` float32
 * @throws {ValueError} when an index or a size is out of range
 * @example
 * const clip = tf.tensor3d([[[-1, 1, 0, 1], [-1, -1, 0, 1], [1, 1, 0, 1]]])
 * const { triangleIds } = rasterize(clip, Int32Array.of(0, 1, 2), { width: 3, height: 3 })
 * triangleIds.arraySync() // [[[0, 0, -1], [0, -1, -1], [-1, -1, -1]]]: the diagonal is no left edge
 */
export function rasterize(
  clipVertices: Tensor3D,
  triangles: Triangles,
  options: RasterizeOptions,
): Fragments {
  const { N } = assertShape('rasterize: clipVertices', clipVertices, ['B', 'N', 4])
  assertDataType('rasterize: clipVertices', clipVertices, 'float32')
  const { width, height, cull = 'none' } = options
  assertInteger('rasterize: width', width, 1, LARGEST_SIDE)
  assertInteger('rasterize: height', height, 1, LARGEST_SIDE)
  if (cull !== 'none' && cull !== 'back' && cull !== 'front') {
    throw new ValueError(`rasterize: cull is ${String(cull)}, expected 'none', 'back' or 'front'`)
  }
  const indices = triangleIndices('rasterize', triangles, N)
  const attributes = { triangles: indices, width, height, cull }
  if (!isRecording()) return kernel({ clip: clipVertices }, attributes)
  const { boxes, tasks, ...fragments } = recordedKernel({ clip: clipVertices }, attributes)
  rememberFootprints(fragments, { boxes, tasks })
  return fragments
}
