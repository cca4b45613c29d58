import { reshape, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, assertDataType, assertShape } from '@facekit/core'
import { type HostArray, type HostKernel, runHostKernel } from '@facekit/kernels'
import { type Triangles, triangleIndices } from '@facekit/mesh'
import {
  interpolateAttributesGradientOnGpu,
  interpolateBarycentricsGradientOnGpu,
  interpolateOnGpu,
} from './webgpu/interpolate.js'
import { tracedInterpolateKernel } from './webgpu/interpolate-operation.js'
import { footprintsOf } from './webgpu/rasterize-operation.js'
import {
  interpolateArrays,
  interpolateArraysToAttributes,
  interpolateArraysToBarycentrics,
  type InterpolatedPixels,
} from './cpu/interpolate-arrays.js'
import type { Fragments } from './rasterize.js'

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

const sceneOf = (
  ids: HostArray,
  batch: number,
  { triangles, shape: [attributeBatch, vertices, channels] }: Attributes,
): InterpolatedPixels => ({
  ids: ids as Int32Array,
  triangles,
  batch,
  vertices,
  channels,
  shared: attributeBatch === 1,
})

const attributesGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolateAttributesGradient',
  inputs: ['barycentrics', 'ids', 'upstream'],
  outputs: (_, { shape }) => [{ shape, dtype: 'float32' }],
  compute([barycentrics, ids, upstream], [gradient], [[batch]], attributes) {
    const scene = sceneOf(ids, batch, attributes)
    interpolateArraysToAttributes(
      scene,
      barycentrics as Float32Array,
      upstream as Float32Array,
      gradient as Float32Array,
    )
  },
  webgpu: interpolateAttributesGradientOnGpu,
}

const barycentricsGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolateBarycentricsGradient',
  inputs: ['attributes', 'ids', 'upstream'],
  outputs: ([, ids]) => [{ shape: [...ids, 3], dtype: 'float32' }],
  compute([attributes, ids, upstream], [gradient], [, [batch]], attributeMap) {
    const scene = sceneOf(ids, batch, attributeMap)
    interpolateArraysToBarycentrics(
      scene,
      attributes as Float32Array,
      upstream as Float32Array,
      gradient as Float32Array,
    )
  },
  webgpu: interpolateBarycentricsGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitInterpolate',
  inputs: ['attributes', 'barycentrics', 'ids'],
  outputs: ([[, , channels], , ids]) => [{ shape: [...ids, channels], dtype: 'float32' }],
  compute([attributes, barycentrics, ids], [output], [, , [batch]], attributeMap) {
    const scene = sceneOf(ids, batch, attributeMap)
    interpolateArrays(scene, attributes as Float32Array, barycentrics as Float32Array, output as Float32Array)
  },
  webgpu: interpolateOnGpu,
  gradient: {
    inputsToSave: ['attributes', 'barycentrics', 'ids'],
    gradFunc: (dy, [attributes, barycentrics, ids], attrs) => {
      const upstream = dy as Tensor
      const attributeMap = attrs as unknown as Attributes
      return {
        attributes: () =>
          runHostKernel(attributesGradientKernel, { barycentrics, ids, upstream }, attributeMap)[0],
        barycentrics: () =>
          runHostKernel(barycentricsGradientKernel, { attributes, ids, upstream }, attributeMap)[0],
      }
    },
  },
}

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
  const footprints = footprintsOf(ids)
  const [output] = runHostKernel(
    footprints ? tracedInterpolateKernel : kernel,
    { attributes: input, barycentrics, ids, ...footprints },
    { triangles: indices, shape },
  )
  if (stacked) input.dispose()
  return output as Tensor4D
}
