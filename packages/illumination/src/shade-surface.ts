import { assertDataType, assertShape, ValueError } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import {
  concat,
  tensor2d,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { SHADED_CHANNELS, surfaceBackward, surfaceForward } from './cpu/shade-surface.js'
import { diffuseKernel } from './shade-diffuse.js'
import { specularKernel } from './shade-specular.js'
import { shadeSurfaceGradientOnGpu, shadeSurfaceOnGpu } from './webgpu/shade-surface.js'

/** Arguments of `shadeSurface`. */
export interface ShadeSurfaceInput<T extends Tensor3D | Tensor4D> {
  /** `[B, N, 3]` or `[B, H, W, 3]` diffuse and specular albedo, linear RGB. */
  diffuse: T
  specular: T
  /** Like `diffuse`, unit length, world space. */
  normals: T
  /** Like `diffuse`, world space, the unit of `lightPosition` (mm in facekit). */
  positions: T
  /** `[B, 9, 3]` as for `shadeDiffuse`. */
  sphericalHarmonics: Tensor3D
  /** `[B, 3]`, `[B, 3]` and `[B, 1]` as for `shadeSpecular`. */
  lightPosition: Tensor2D
  lightColor: Tensor2D
  shininess: Tensor2D
  /** Of all pictures, world space; a constant. */
  cameraPosition: readonly [number, number, number]
}

interface Attributes {
  cameraPosition: readonly [number, number, number]
}

const SURFACE = ['diffuse', 'specular', 'normals', 'positions'] as const
const LIGHT = ['sphericalHarmonics', 'lightPosition', 'lightColor', 'shininess'] as const
const INPUTS = [...SURFACE, ...LIGHT] as const
const TYPES = {
  diffuse: 'float32',
  specular: 'float32',
  normals: 'float32',
  positions: 'float32',
  sphericalHarmonics: 'float32',
  lightPosition: 'float32',
  lightColor: 'float32',
  shininess: 'float32',
} as const

const gradientKernel = defineKernel({
  name: 'FacekitShadeSurfaceGradient',
  inputs: { ...TYPES, toShaded: 'float32?', toLitDiffuse: 'float32?' },
  outputs: (shapes) => float32Like(shapes, INPUTS),
  cpu: (inputs, gradients, { diffuse: [batch] }, { cameraPosition }: Attributes) =>
    surfaceBackward(inputs, batch, cameraPosition, inputs.toShaded, inputs.toLitDiffuse, gradients),
  webgpu: (backend, inputs, gradients, { cameraPosition }) =>
    shadeSurfaceGradientOnGpu(backend, inputs, inputs, gradients, cameraPosition),
})

const kernel = defineKernel({
  name: 'FacekitShadeSurface',
  inputs: TYPES,
  outputs: ({ diffuse }) => ({
    shaded: float32([...diffuse.slice(0, -1), SHADED_CHANNELS]),
    litDiffuse: float32(diffuse),
  }),
  saves: INPUTS,
  cpu: (inputs, { shaded, litDiffuse }, { diffuse: [batch] }, { cameraPosition }: Attributes) =>
    surfaceForward(inputs, batch, cameraPosition, shaded, litDiffuse),
  webgpu: (backend, inputs, outputs, { cameraPosition }) =>
    shadeSurfaceOnGpu(backend, inputs, outputs, cameraPosition),
  operations: (inputs, { cameraPosition }) => {
    const { diffuse, specular, normals, positions, lightPosition, lightColor, shininess } = inputs
    const litDiffuse = diffuseKernel({ albedo: diffuse, normals, coefficients: inputs.sphericalHarmonics })
    const highlight = specularKernel({
      albedo: specular,
      normals,
      positions,
      lightPosition,
      lightColor,
      cameraPosition: tensor2d(Array.from({ length: diffuse.shape[0] }, () => [...cameraPosition])),
      shininess,
    })
    return { shaded: concat([litDiffuse, highlight], -1), litDiffuse }
  },
  recordsOperations: true,
  gradient: ({ upstream, saved, attributes }) =>
    gradientKernel({ ...saved, toShaded: upstream.shaded, toLitDiffuse: upstream.litDiffuse }, attributes),
})

/** Diffuse light (Eq. 4) and specular light (Eq. 5) of a surface, with all gradients, in one pass: `shadeDiffuse` and
 * `shadeSpecular` for callers that need both.
 *
 * @returns `shaded` `[B, N, 6]` or `[B, H, W, 6]`: diffuse, then specular light, linear RGB, side by side as an interpolation wants
 * them; and `litDiffuse`, the diffuse light alone, like `diffuse`
 * @differentiable every tensor (first order)
 * @memory the caller owns the results
 * @throws {ShapeError} when shapes do not fit each other
 */
export function shadeSurface<T extends Tensor3D | Tensor4D>(
  input: ShadeSurfaceInput<T>,
): { shaded: T; litDiffuse: T } {
  const { diffuse, cameraPosition } = input
  const surface = diffuse?.shape?.length === 4 ? ['B', 'H', 'W', 3] : ['B', 'N', 3]
  const known = {}
  for (const name of SURFACE) assertShape(`shadeSurface: ${name}`, input[name], surface, known)
  const shapes = { sphericalHarmonics: [9, 3], lightPosition: [3], lightColor: [3], shininess: [1] }
  for (const name of LIGHT) assertShape(`shadeSurface: ${name}`, input[name], ['B', ...shapes[name]], known)
  for (const name of INPUTS) assertDataType(`shadeSurface: ${name}`, input[name] as Tensor, 'float32')
  if (cameraPosition?.length !== 3 || !cameraPosition.every(Number.isFinite)) {
    throw new ValueError(
      `shadeSurface: cameraPosition is ${String(cameraPosition)}, expected 3 finite numbers`,
    )
  }
  const { shaded, litDiffuse } = kernel(input, { cameraPosition })
  return { shaded: shaded as T, litDiffuse: litDiffuse as T }
}
