import { reshape, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, assertDataType, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { type Triangles, triangleIndices } from '@facekit/mesh'
import { derivativesOfAttributes } from './cpu/derivative-arrays.js'
import type { Fragments } from './fragments.js'
import { interpolateDerivativesOnGpu } from './webgpu/interpolate-derivatives.js'

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes, `[B or 1, N, C]`. */
  shape: number[]
}

const kernel = defineKernel({
  name: 'FacekitInterpolateDerivatives',
  inputs: { attributes: 'float32', ids: 'int32', clip: 'float32' },
  outputs: ({ ids: [batch, height, width] }, { shape }: Attributes) => ({
    slopes: float32([batch, height, width, 2 * shape[2]]),
  }),
  constants: ['slopes'],
  cpu({ attributes, ids, clip }, { slopes }, shapes, { triangles, shape }) {
    derivativesOfAttributes(attributes, ids, clip, triangles, shapes.ids, shape, slopes)
  },
  webgpu: (backend, inputs, outputs, attributes) =>
    interpolateDerivativesOnGpu(backend, inputs, outputs, attributes),
})

/** How attributes of vertices change from pixel to pixel, exactly, at each pixel's centre; for the levels of `sampleTexture`.
 *
 * In homogeneous pixel space the edge functions e_i are linear in the pixel, b_i = e_i / S with S = sum_j e_j, and so
 * db_i = (de_i - b_i dS) / S. Nothing is taken from neighbouring pixels: outlines and seams do no harm.
 *
 * @param attributes - `[B, N, C]`, or `[1, N, C]` or `[N, C]` shared by the batch; float32
 * @param fragments - of `rasterize`; only its triangleIds are read
 * @param clipVertices - `[B, N, 4]` those given to `rasterize`
 * @param triangles - those given to `rasterize`
 * @returns `[B, H, W, 2 C]` per pixel: dA0/dx, dA0/dy, dA1/dx, dA1/dy, ...; x to the right, y down; 0 on background
 * @differentiable no
 * @memory the caller owns the result, which is off the tape
 * @throws {ShapeError} when shapes do not fit each other
 * @throws {ValueError} when an index is not one of the N vertices
 * @example
 * const uv = interpolate(corners, fragments, triangles)
 * const uvDerivatives = interpolateDerivatives(corners, fragments, clipVertices, triangles) // [B, H, W, 4]
 * sampleTexture(texture, uv, { filter: 'trilinear', uvDerivatives })
 */
export function interpolateDerivatives(
  attributes: Tensor3D | Tensor2D,
  fragments: Pick<Fragments, 'triangleIds'>,
  clipVertices: Tensor3D,
  triangles: Triangles,
): Tensor4D {
  const who = 'interpolateDerivatives'
  const { triangleIds: ids } = fragments
  const { B } = assertShape(`${who}: fragments.triangleIds`, ids, ['B', 'H', 'W'])
  assertDataType(`${who}: attributes`, attributes, 'float32')
  assertDataType(`${who}: clipVertices`, clipVertices, 'float32')
  const stacked = attributes.shape.length === 2
  const { N } = assertShape(`${who}: attributes`, attributes, stacked ? ['N', 'C'] : ['A', 'N', 'C'])
  assertShape(`${who}: clipVertices`, clipVertices, ['B', 'N', 4], { B, N })
  const shape = stacked ? [1, ...attributes.shape] : attributes.shape
  if (shape[0] !== 1 && shape[0] !== B) {
    throw new ShapeError(
      `${who}: attributes is [${attributes.shape.join(', ')}], expected a batch of 1 or ${B}, that of fragments`,
    )
  }
  const indices = triangleIndices(who, triangles, N)
  const input = stacked ? reshape(attributes, shape) : attributes
  const inputs = { attributes: input, ids, clip: clipVertices }
  const slopes = kernel(inputs, { triangles: indices, shape })
  if (stacked) input.dispose()
  return slopes
}
