import { ValueError, assertDataType, assertShape } from '@facekit/core'
import { type HostArray, type HostKernel, runHostKernel } from '@facekit/kernels'
import { tensor, tidy, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { diffuseBackward, diffuseForward } from './diffuse-arrays.js'
import { shadeSurfaceGradientOnGpu, shadeSurfaceOnGpu } from './gpu-shade-surface.js'
import { specularPass } from './specular-arrays.js'

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
const INPUTS = [...SURFACE, ...LIGHT]
/** Channels of `shaded`. */
const STRIDE = 6

/** Each picture's camera. */
const camerasOf = (cameraPosition: readonly number[], batch: number) =>
  Float32Array.from({ length: 3 * batch }, (_, i) => cameraPosition[i % 3])

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitShadeSurfaceGradient',
  inputs: [...INPUTS, 'work', 'toShaded', 'toMatt'],
  outputs: (shapes) => INPUTS.map((_, i) => ({ shape: shapes[i], dtype: 'float32' })),
  compute(inputs, outputs, [[batch]], { cameraPosition }) {
    const [diffuse, specular, normals, positions, harmonics, light, color, shininess, , toShaded, toMatt] =
      inputs
    const [toDiffuse, toSpecular, toNormals, toPositions, toHarmonics, toLight, toColor, toShininess] =
      outputs
    const shaded = toShaded.length > 0 ? toShaded : new Float32Array(2 * diffuse.length)
    diffuseBackward(
      [diffuse, normals, harmonics, addMatt(shaded, toMatt)],
      batch,
      9,
      [toDiffuse, toNormals, toHarmonics],
      STRIDE,
    )
    const cameras = camerasOf(cameraPosition, batch)
    const toCamera = new Float32Array(cameras.length)
    specularPass(
      [specular, normals, positions, light, color, cameras, shininess, shaded],
      batch,
      undefined,
      [toSpecular, toNormals, toPositions, toLight, toColor, toCamera, toShininess],
      { stride: STRIDE, offset: 3, addNormals: true },
    )
  },
  webgpu: shadeSurfaceGradientOnGpu,
}

/** The gradient of the diffuse light with what comes by way of `matt`. */
function addMatt(shaded: HostArray, toMatt: HostArray): HostArray {
  if (toMatt.length === 0) return shaded
  const sums = Float32Array.from(shaded)
  for (let from = 0, to = 0; from < toMatt.length; from += 3, to += STRIDE) {
    for (let c = 0; c < 3; c++) sums[to + c] += toMatt[from + c]
  }
  return sums
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitShadeSurface',
  inputs: INPUTS,
  outputs: ([surface]) => [
    { shape: [...surface.slice(0, -1), STRIDE], dtype: 'float32' },
    { shape: surface, dtype: 'float32' },
    // What the programs of WebGPU keep for the way back.
    { shape: [1], dtype: 'float32' },
  ],
  compute(inputs, [shaded, matt, work], [[batch]], { cameraPosition }) {
    const [diffuse, specular, normals, positions, harmonics, light, color, shininess] = inputs
    const cameras = camerasOf(cameraPosition, batch)
    work[0] = 0
    const options = { stride: STRIDE, offset: 3 }
    specularPass([specular, normals, positions, light, color, cameras, shininess], batch, shaded, [], options)
    diffuseForward([diffuse, normals, harmonics], batch, 9, shaded, STRIDE)
    for (let to = 0, from = 0; to < matt.length; to += 3, from += STRIDE) {
      for (let c = 0; c < 3; c++) matt[to + c] = shaded[from + c]
    }
  },
  webgpu: shadeSurfaceOnGpu,
  missingUpstream: 'undefined',
  gradient: {
    inputsToSave: [...INPUTS],
    outputsToSave: [false, false, true],
    gradFunc: (upstream, saved, attributes) => {
      const [toShaded, toMatt] = upstream as (Tensor | undefined)[]
      const inputs = Object.fromEntries([...INPUTS, 'work'].map((name, i) => [name, saved[i]]))
      const gradients = tidy(() => {
        const nothing = tensor([], [0])
        const given = { ...inputs, toShaded: toShaded ?? nothing, toMatt: toMatt ?? nothing }
        return runHostKernel(gradientKernel, given, attributes as unknown as Attributes)
      })
      return Object.fromEntries(INPUTS.map((name, i) => [name, () => gradients[i]]))
    },
  },
}

/** Diffuse light (Eq. 4) and specular light (Eq. 5) of a surface, with all gradients, in one pass: `shadeDiffuse` and
 * `shadeSpecular` for who needs both.
 *
 * @returns `shaded` `[B, N, 6]` or `[B, H, W, 6]`: diffuse, then specular light, linear RGB, side by side as an interpolation wants
 * them; and `matt`, the diffuse light alone, like `diffuse`
 * @differentiable every tensor (first order)
 * @memory the caller owns the results
 * @throws {ShapeError} when shapes do not fit each other
 */
export function shadeSurface<T extends Tensor3D | Tensor4D>(
  input: ShadeSurfaceInput<T>,
): { shaded: T; matt: T } {
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
  const tensors = Object.fromEntries(INPUTS.map((name) => [name, input[name] as Tensor]))
  const [shaded, matt, work] = runHostKernel(kernel, tensors, { cameraPosition })
  work.dispose()
  return { shaded, matt } as { shaded: T; matt: T }
}
