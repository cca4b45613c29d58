import { assertDataType, assertShape, ShapeError } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import { matMul, mul, reshape, slice, tidy, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { diffuseBackward, diffuseForward } from './cpu/diffuse.js'
import { assertBands, sphericalHarmonicsBasis, type Bands } from './spherical-harmonics.js'

/** Options of `shadeDiffuse`. */
export interface ShadeDiffuseOptions {
  /** Use only the first bands. Default: all that `coefficients` has. */
  bands?: Bands
}

const gradientKernel = defineKernel({
  name: 'FacekitDiffuseGradient',
  inputs: { albedo: 'float32', normals: 'float32', coefficients: 'float32', upstream: 'float32' },
  outputs: (shapes) => float32Like(shapes, ['albedo', 'normals', 'coefficients']),
  cpu({ albedo, normals, coefficients, upstream }, gradients, { albedo: [batch], coefficients: [, count] }) {
    diffuseBackward([albedo, normals, coefficients, upstream], batch, count, [
      gradients.albedo,
      gradients.normals,
      gradients.coefficients,
    ])
  },
})

/** Eq. 4 with the first 1, 4 or 9 coefficients: one loop over the normals, where stock operations take about twice as long on WASM. */
export const diffuseKernel = defineKernel({
  name: 'FacekitDiffuse',
  inputs: { albedo: 'float32', normals: 'float32', coefficients: 'float32' },
  outputs: ({ albedo }) => ({ color: float32(albedo) }),
  saves: ['albedo', 'normals', 'coefficients'],
  cpu: ({ albedo, normals, coefficients }, { color }, { albedo: [batch], coefficients: [, count] }) =>
    diffuseForward([albedo, normals, coefficients], batch, count, color),
  operations({ albedo, normals, coefficients }) {
    const [batch, count] = coefficients.shape
    const bands = Math.sqrt(count) as Bands
    const basis = sphericalHarmonicsBasis(reshape(normals, [batch, -1, 3]), { bands })
    return mul(albedo, reshape(matMul(basis, coefficients), albedo.shape))
  },
  recordsOperations: true,
  gradient: ({ upstream, saved }) => gradientKernel({ ...saved, upstream: upstream.color }),
})

/** Colour of a diffuse surface in distant light.
 *
 * c(n) = albedo * sum_b  coefficient_b Y_b(n)                        (MM '22 paper, Eq. 4)
 *
 * As printed: the coefficients already contain what a diffuse surface makes of the light (the factors of the clamped cosine
 * and the 1 / pi of the albedo), so 1 / 0.282095 in the first one shows the albedo itself.
 *
 * @param albedo - `[B, N, 3]` or `[B, H, W, 3]` linear RGB
 * @param normals - like `albedo`, unit length, world space
 * @param coefficients - `[B, K, 3]` linear RGB; K is 1, 4 or 9, in the order of `sphericalHarmonicsBasis`
 * @returns like `albedo`, linear RGB; may be negative, a band-limited light can be
 * @differentiable albedo, normals, coefficients
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes do not fit each other
 * @throws {ValueError} when `bands` is not 1, 2 or 3
 */
export function shadeDiffuse<T extends Tensor3D | Tensor4D>(
  albedo: T,
  normals: T,
  coefficients: Tensor3D,
  options: ShadeDiffuseOptions = {},
): T {
  const picture = normals?.shape?.length === 4
  const known = assertShape('shadeDiffuse: normals', normals, picture ? ['B', 'H', 'W', 3] : ['B', 'N', 3])
  assertShape('shadeDiffuse: albedo', albedo, picture ? ['B', 'H', 'W', 3] : ['B', 'N', 3], known)
  assertShape('shadeDiffuse: coefficients', coefficients, ['B', 'K', 3], known)
  assertDataType('shadeDiffuse: albedo', albedo, 'float32')
  assertDataType('shadeDiffuse: normals', normals, 'float32')
  assertDataType('shadeDiffuse: coefficients', coefficients, 'float32')
  const { bands = Math.sqrt(known.K) } = options
  if (options.bands === undefined && ![1, 2, 3].includes(bands)) {
    throw new ShapeError(
      `shadeDiffuse: coefficients is [${coefficients.shape.join(', ')}], expected [B, 1 | 4 | 9, 3]; pass bands to use fewer`,
    )
  }
  assertBands('shadeDiffuse', bands)
  const used = bands * bands
  if (known.K < used) {
    throw new ShapeError(
      `shadeDiffuse: coefficients is [${coefficients.shape.join(', ')}], ${bands} bands need [B, ${used}, 3]; pass fewer bands`,
    )
  }
  return tidy(() => {
    const light = known.K === used ? coefficients : slice(coefficients, [0, 0, 0], [-1, used, 3])
    return diffuseKernel({ albedo, normals, coefficients: light }) as T
  })
}
