import { reshape, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, assertDataType, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { type Triangles, triangleIndices } from '@facekit/mesh'
import {
  interpolateArrays,
  interpolateArraysToAttributes,
  interpolateArraysToBarycentrics,
  type InterpolatedPixels,
} from './cpu/interpolate-arrays.js'
import { footprintsOf, type Fragments } from './fragments.js'
import {
  interpolateAttributesGradientOnGpu,
  interpolateBarycentricsGradientOnGpu,
  interpolateOnGpu,
} from './webgpu/interpolate.js'

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

const sceneOf = (
  ids: Int32Array,
  [batch]: number[],
  { triangles, shape: [attributeBatch, vertices, channels] }: Attributes,
): InterpolatedPixels => ({ ids, triangles, batch, vertices, channels, shared: attributeBatch === 1 })

const attributesGradientKernel = defineKernel({
  name: 'FacekitInterpolateAttributesGradient',
  inputs: {
    barycentrics: 'float32',
    ids: 'int32',
    upstream: 'float32',
    boxes: 'int32?',
    tasks: 'int32?',
  },
  outputs: (_shapes, { shape }: Attributes) => ({ gradient: float32(shape) }),
  cpu({ barycentrics, ids, upstream }, { gradient }, shapes, attributes) {
    interpolateArraysToAttributes(sceneOf(ids, shapes.ids, attributes), barycentrics, upstream, gradient)
  },
  webgpu: (backend, inputs, outputs, attributes) =>
    interpolateAttributesGradientOnGpu(backend, inputs, outputs, attributes),
})

const barycentricsGradientKernel = defineKernel({
  name: 'FacekitInterpolateBarycentricsGradient',
  inputs: { attributes: 'float32', ids: 'int32', upstream: 'float32' },
  outputs: ({ ids: [batch, height, width] }) => ({ gradient: float32([batch, height, width, 3]) }),
  cpu({ attributes: values, ids, upstream }, { gradient }, shapes, attributes: Attributes) {
    interpolateArraysToBarycentrics(sceneOf(ids, shapes.ids, attributes), values, upstream, gradient)
  },
  webgpu: (backend, inputs, outputs, attributes) =>
    interpolateBarycentricsGradientOnGpu(backend, inputs, outputs, attributes),
})

const kernel = defineKernel({
  name: 'FacekitInterpolate',
  inputs: {
    attributes: 'float32',
    barycentrics: 'float32',
    ids: 'int32',
    boxes: 'int32?',
    tasks: 'int32?',
  },
  outputs: ({ ids: [batch, height, width] }, { shape }: Attributes) => ({
    picture: float32([batch, height, width, shape[2]]),
  }),
  saves: ['attributes', 'barycentrics', 'ids', 'boxes', 'tasks'],
  cpu({ attributes: values, barycentrics, ids }, { picture }, shapes, attributes) {
    interpolateArrays(sceneOf(ids, shapes.ids, attributes), values, barycentrics, picture)
  },
  webgpu: (backend, inputs, outputs, attributes) => interpolateOnGpu(backend, inputs, outputs, attributes),
  gradient: ({ upstream: { picture: upstream }, saved, attributes }) => ({
    attributes: () => attributesGradientKernel({ ...saved, upstream }, attributes),
    barycentrics: () =>
      barycentricsGradientKernel({ attributes: saved.attributes, ids: saved.ids, upstream }, attributes),
  }),
})

/** Spreads attributes of vertices over the pixels: out = sum_i b_i attribute(vertex i of the pixel's triangle).
 *
 * @param attributes - `[B, N, C]`, or `[1, N, C]` or `[N, C]` shared by the batch; float32
 * @param fragments - of `rasterize`
 * @param triangles - those given to `rasterize`
 * @returns `[B, H, W, C]`, 0 on background
 * @differentiable attributes, fragments.barycentrics (and through them the vertices)
 * @memory the caller owns the result
 * @throws {ShapeError} when the batch of `attributes` is neither 1 nor that of `fragments`
 * @throws {ValueError} when an index is not one of the N vertices
 */
export function interpolate(
  attributes: Tensor3D | Tensor2D,
  fragments: Fragments,
  triangles: Triangles,
): Tensor4D {
  const { B, H, W } = assertShape('interpolate: fragments.triangleIds', fragments.triangleIds, [
    'B',
    'H',
    'W',
  ])
  assertShape('interpolate: fragments.barycentrics', fragments.barycentrics, ['B', 'H', 'W', 3], { B, H, W })
  assertDataType('interpolate: attributes', attributes, 'float32')
  const stacked = attributes.shape.length === 2
  assertShape('interpolate: attributes', attributes, stacked ? ['N', 'C'] : ['B', 'N', 'C'])
  const shape = stacked ? [1, ...attributes.shape] : attributes.shape
  if (shape[0] !== 1 && shape[0] !== B) {
    throw new ShapeError(
      `interpolate: attributes is [${attributes.shape.join(', ')}], expected a batch of 1 or ${B}, that of fragments`,
    )
  }
  const indices = triangleIndices('interpolate', triangles, shape[1])
  const input = stacked ? reshape(attributes, shape) : attributes
  const { barycentrics, triangleIds: ids } = fragments
  const inputs = { attributes: input, barycentrics, ids, ...footprintsOf(ids) }
  const picture = kernel(inputs, { triangles: indices, shape })
  if (stacked) input.dispose()
  return picture
}
