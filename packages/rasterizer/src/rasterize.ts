import { getBackend, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ValueError, assertDataType, assertInteger, assertShape } from '@facekit/core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import { type Triangles, triangleIndices } from '@facekit/mesh'
import { barycentricsGradient } from './cpu/barycentrics-gradient.js'
import { detach } from './detach.js'
import { rasterizeWithGpu } from './webgpu/rasterize-operation.js'
import { rasterizeArrays } from './cpu/rasterize-arrays.js'
import type { Cull } from './cpu/scan-triangles.js'

/** What is seen at each pixel centre. */
export interface Fragments {
  /** `[B, H, W]` int32 index of the nearest triangle, -1 for background. No gradient. */
  triangleIds: Tensor3D
  /** `[B, H, W, 3]` perspective-correct barycentrics in the order of the triangle's vertices, 0 on background. */
  barycentrics: Tensor4D
  /** `[B, H, W, 1]` z / w, -1 at the near and 1 at the far plane; 1 on background. No gradient. */
  depth: Tensor4D
}

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

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitRasterizeGradient',
  inputs: ['clip', 'ids', 'upstream'],
  outputs: ([clip]) => [{ shape: clip, dtype: 'float32' }],
  compute([clip, ids, upstream], [gradient], [[batch, count]], { triangles, width, height }) {
    barycentricsGradient(
      { clip: clip as Float32Array, batch, count, triangles, width, height },
      ids as Int32Array,
      upstream as Float32Array,
      gradient as Float32Array,
    )
  },
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitRasterize',
  inputs: ['clip'],
  outputs: ([[batch]], { width, height }) => [
    { shape: [batch, height, width], dtype: 'int32' },
    { shape: [batch, height, width, 3], dtype: 'float32' },
    { shape: [batch, height, width, 1], dtype: 'float32' },
  ],
  compute([clip], [ids, barycentrics, depth], [[batch, count]], attributes) {
    rasterizeArrays(
      { clip: clip as Float32Array, batch, count, ...attributes },
      {
        ids: ids as Int32Array,
        depth: depth as Float32Array,
        barycentrics: barycentrics as Float32Array,
      },
    )
  },
  gradient: {
    inputsToSave: ['clip'],
    outputsToSave: [true, false, false],
    gradFunc: (upstream, saved, attributes) => {
      const [clip, ids] = saved
      const [, barycentrics] = upstream as Tensor[]
      return {
        clip: () =>
          runHostKernel(
            gradientKernel,
            { clip, ids, upstream: barycentrics },
            attributes as unknown as Attributes,
          )[0],
      }
    },
  },
}

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
  if (getBackend() === 'webgpu') return rasterizeWithGpu(clipVertices, attributes)
  const [triangleIds, barycentrics, depth] = runHostKernel(kernel, { clip: clipVertices }, attributes)
  return {
    triangleIds: detach(triangleIds as Tensor3D),
    barycentrics: barycentrics as Tensor4D,
    depth: detach(depth as Tensor4D),
  }
}
