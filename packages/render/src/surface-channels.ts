import { type HostKernel, runHostKernel } from '@facekit/kernels'
import {
  cast,
  concat,
  expandDims,
  greaterEqual,
  logicalAnd,
  less,
  mul,
  tidy,
  customGrad,
  slice,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { SURFACE_CHANNELS } from './compose-arrays.js'
import { surfaceChannelsGradientOnGpu, surfaceChannelsOnGpu } from './webgpu/surface-channels.js'

interface Attributes {
  faceTriangles: number
}

const COLOR_CHANNELS = 6

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitSurfaceChannelsGradient',
  inputs: ['upstream', 'ids'],
  outputs: ([[batch, height, width]]) => [
    { shape: [batch, height, width, COLOR_CHANNELS], dtype: 'float32' },
  ],
  compute([upstream, ids], [colors], _shapes, { faceTriangles }) {
    colors.fill(0)
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= faceTriangles) continue
      for (let c = 0; c < COLOR_CHANNELS; c++) {
        colors[i * COLOR_CHANNELS + c] = upstream[i * SURFACE_CHANNELS + c]
      }
    }
  },
  webgpu: surfaceChannelsGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitSurfaceChannels',
  inputs: ['colors', 'ids'],
  outputs: ([[batch, height, width]]) => [
    { shape: [batch, height, width, SURFACE_CHANNELS], dtype: 'float32' },
  ],
  compute([colors, ids], [surface], _shapes, { faceTriangles }) {
    surface.fill(0)
    for (let i = 0; i < ids.length; i++) {
      const start = i * SURFACE_CHANNELS
      if (ids[i] >= faceTriangles) surface[start + 7] = 1
      if (ids[i] < 0 || ids[i] >= faceTriangles) continue
      for (let c = 0; c < COLOR_CHANNELS; c++) surface[start + c] = colors[i * COLOR_CHANNELS + c]
      surface[start + 6] = 1
    }
  },
  webgpu: surfaceChannelsOnGpu,
  gradient: {
    inputsToSave: ['ids'],
    gradFunc: (upstream, [ids], attributes) => ({
      colors: () =>
        runHostKernel(
          gradientKernel,
          { upstream: upstream as Tensor, ids },
          attributes as unknown as Attributes,
        )[0],
    }),
  },
}

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
  if (fused) {
    return runHostKernel(kernel, { colors, ids: triangleIds }, { faceTriangles })[0] as Tensor4D
  }
  const pack = customGrad((...args) => {
    const input = args[0] as Tensor
    const save = args[1] as unknown as (tensors: Tensor[]) => void
    const [mask, mouth] = masksOf(triangleIds, faceTriangles)
    save([mask])
    return {
      value: concat([mul(input, mask), mask, mouth], 3),
      gradFunc: (gradient: Tensor, [mask]: Tensor[]) =>
        mul(slice(gradient, [0, 0, 0, 0], [-1, -1, -1, COLOR_CHANNELS]), mask),
    }
  })
  return tidy(() => pack(colors) as Tensor4D)
}

/** `[B, H, W, 1]` each, 0 or 1. */
function masksOf(triangleIds: Tensor3D, faceTriangles: number): [Tensor, Tensor] {
  const ids = expandDims(triangleIds, 3)
  const isMouth = greaterEqual(ids, faceTriangles)
  const isFace = logicalAnd(greaterEqual(ids, 0), less(ids, faceTriangles))
  return [cast(isFace, 'float32'), cast(isMouth, 'float32')]
}
