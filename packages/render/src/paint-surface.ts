import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import { interpolate, type Fragments } from '@facekit/rasterizer'
import { tidy, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { SURFACE_CHANNELS } from './compose-arrays.js'
import type { FaceMesh } from './face-mesh.js'
import { paintBackward, paintForward, type PaintArrays } from './paint-arrays.js'
import { surfaceChannels } from './surface-channels.js'

interface Attributes {
  triangles: Int32Array
  faceTriangles: number
}

const INPUTS = ['light', 'barycentrics', 'ids']

const arraysOf = (
  [, barycentrics, ids]: (Float32Array | Int32Array)[],
  [[, vertices], , [, height, width]]: readonly number[][],
  attributes: Attributes,
): PaintArrays => ({ ...attributes, barycentrics, ids, vertices, pixels: height * width })

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitPaintSurfaceGradient',
  inputs: [...INPUTS, 'upstream'],
  outputs: (shapes) => shapes.slice(0, 2).map((shape) => ({ shape, dtype: 'float32' })),
  compute(inputs, [toLight, toBarycentrics], shapes, attributes) {
    paintBackward(inputs[0], inputs[3], arraysOf(inputs, shapes, attributes), toLight, toBarycentrics)
  },
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitPaintSurface',
  inputs: INPUTS,
  outputs: ([, , ids]) => [{ shape: [...ids, SURFACE_CHANNELS], dtype: 'float32' }],
  compute(inputs, [surface], shapes, attributes) {
    paintForward(inputs[0], arraysOf(inputs, shapes, attributes), surface)
  },
  gradient: {
    inputsToSave: INPUTS,
    gradFunc: (upstream, [light, barycentrics, ids], attributes) => {
      const inputs = { light, barycentrics, ids, upstream: upstream as Tensor }
      const gradients = tidy(() => runHostKernel(gradientKernel, inputs, attributes as unknown as Attributes))
      return { light: () => gradients[0], barycentrics: () => gradients[1] }
    },
  },
}

/** The face's light at the pixels, and where face and inner mouth are.
 *
 * @param light - `[B, N, 6]` diffuse and specular light, linear, at the vertices
 * @returns `[B, H, W, 8]` diffuse, specular, face, inner mouth
 * @differentiable light, fragments.barycentrics
 */
export function paintSurface(light: Tensor3D, fragments: Fragments, mesh: FaceMesh): Tensor4D {
  const { triangles, faceTriangles } = mesh
  const { triangleIds, barycentrics } = fragments
  if (hasHostMemory()) {
    const inputs = { light, barycentrics, ids: triangleIds }
    return runHostKernel(kernel, inputs, { triangles, faceTriangles })[0] as Tensor4D
  }
  return tidy(() =>
    surfaceChannels(interpolate(light, fragments, triangles), triangleIds, faceTriangles, true),
  )
}
