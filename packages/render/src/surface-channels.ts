import { defineKernel, float32 } from '@facekit/kernels'
import {
  cast,
  concat,
  expandDims,
  greaterEqual,
  less,
  logicalAnd,
  mul,
  slice,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { surfaceBackward, surfaceForward } from './cpu/surface-channels.js'
import { LIGHT_CHANNELS, SURFACE_CHANNELS } from './surface-layout.js'
import { surfaceChannelsGradientOnGpu, surfaceChannelsOnGpu } from './webgpu/surface-channels.js'

interface Attributes {
  faceTriangles: number
}

const gradientKernel = defineKernel({
  name: 'FacekitSurfaceChannelsGradient',
  inputs: { upstream: 'float32', ids: 'int32' },
  outputs: ({ ids: [batch, height, width] }) => ({
    colors: float32([batch, height, width, LIGHT_CHANNELS]),
  }),
  cpu: ({ upstream, ids }, { colors }, _shapes, { faceTriangles }: Attributes) =>
    surfaceBackward(upstream, ids, faceTriangles, colors),
  webgpu: (backend, { upstream, ids }, { colors }, { faceTriangles }) =>
    surfaceChannelsGradientOnGpu(backend, [upstream, ids], colors, faceTriangles),
  operations({ upstream, ids }, { faceTriangles }) {
    const light = slice(upstream as Tensor4D, [0, 0, 0, 0], [-1, -1, -1, LIGHT_CHANNELS])
    return mul(light, masksOf(ids, faceTriangles)[0])
  },
})

const kernel = defineKernel({
  name: 'FacekitSurfaceChannels',
  inputs: { colors: 'float32', ids: 'int32' },
  outputs: ({ ids: [batch, height, width] }) => ({
    surface: float32([batch, height, width, SURFACE_CHANNELS]),
  }),
  saves: ['ids'],
  cpu: ({ colors, ids }, { surface }, _shapes, { faceTriangles }: Attributes) =>
    surfaceForward(colors, ids, faceTriangles, surface),
  webgpu: (backend, { colors, ids }, { surface }, { faceTriangles }) =>
    surfaceChannelsOnGpu(backend, [colors, ids], surface, faceTriangles),
  operations({ colors, ids }, { faceTriangles }) {
    const [mask, mouth] = masksOf(ids, faceTriangles)
    return concat([mul(colors, mask), mask, mouth], 3)
  },
  gradient: ({ upstream, saved, attributes }) => ({
    colors: () => gradientKernel({ ...saved, upstream: upstream.surface }, attributes),
  }),
})

/** Colours of the face, and the masks of face and inner mouth, as one picture.
 *
 * @param colors - `[B, H, W, 6]` diffuse and specular light, linear
 * @param triangleIds - `[B, H, W]`; from `faceTriangles` on those of the inner mouth, which has no colour
 * @param fused - whether as one kernel, not as stock operations
 * @returns `[B, H, W, 8]` diffuse, specular, face, inner mouth
 * @differentiable colors
 */
export function surfaceChannels(
  colors: Tensor4D,
  triangleIds: Tensor3D,
  faceTriangles: number,
  fused: boolean,
): Tensor4D {
  return (fused ? kernel : kernel.byOperations)({ colors, ids: triangleIds }, { faceTriangles })
}

/** `[B, H, W, 1]` each, 0 or 1. */
function masksOf(triangleIds: Tensor, faceTriangles: number): [Tensor, Tensor] {
  const ids = expandDims(triangleIds, 3)
  const isMouth = greaterEqual(ids, faceTriangles)
  const isFace = logicalAnd(greaterEqual(ids, 0), less(ids, faceTriangles))
  return [cast(isFace, 'float32'), cast(isMouth, 'float32')]
}
