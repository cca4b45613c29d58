import { fused, mul, reshape, tensor1d, tensor2d, tidy, type Rank, type Tensor } from '@tensorflow/tfjs-core'
import { assertDataType, assertShape, ValueError } from '@facekit/core'
import { HARMONIC_FACTORS } from './harmonic-factors.js'

/** Number of bands: 1 is constant light, 2 adds a direction, 3 is what a diffuse surface can tell apart. */
export type Bands = 1 | 2 | 3

/** Options of `sphericalHarmonicsBasis`. */
export interface SphericalHarmonicsOptions {
  /** 1, 2 or 3. Default 3. */
  bands?: Bands
}

const [C0, C1, , , C2, , C20] = HARMONIC_FACTORS
const HALF = 1 / Math.SQRT2
const ROOT3 = Math.sqrt(3)

/** Each function is a product of two affine functions (x, y, z, constant) of the normal: two small matrix products and one
 * multiplication make all nine, where slicing out x, y and z would take thirty operations. */
const FACTORS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [0, 0, 0, C0],
    [0, 0, 0, 1],
  ],
  [
    [0, C1, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [0, 0, C1, 0],
    [0, 0, 0, 1],
  ],
  [
    [C1, 0, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [C2, 0, 0, 0],
    [0, 1, 0, 0],
  ],
  [
    [0, C2, 0, 0],
    [0, 0, 1, 0],
  ],
  // 3 z^2 - 1 and (x^2 - y^2) / 2
  [
    [0, 0, C20 * ROOT3, -C20],
    [0, 0, ROOT3, 1],
  ],
  [
    [C2, 0, 0, 0],
    [0, 0, 1, 0],
  ],
  [
    [C2 * HALF, -C2 * HALF, 0, 0],
    [HALF, HALF, 0, 0],
  ],
]

/** @throws {ValueError} when it is not 1, 2 or 3 */
export function assertBands(who: string, bands: number): asserts bands is Bands {
  if (bands !== 1 && bands !== 2 && bands !== 3) {
    throw new ValueError(`${who}: bands is ${String(bands)}, expected 1, 2 or 3`)
  }
}

/** Real spherical harmonics at directions.
 *
 * Order (0,0) (1,-1) (1,0) (1,1) (2,-2) (2,-1) (2,0) (2,1) (2,2):
 * 0.282095; 0.488603 y, z, x; 1.092548 xy, 1.092548 yz, 0.315392 (3z^2 - 1), 1.092548 xz, 0.546274 (x^2 - y^2).
 * No factors of the clamped cosine (pi, 2pi/3, pi/4) and no Condon-Shortley signs: they are left to the coefficients, as
 * in the MM '22 paper, Eq. 4.
 *
 * @param normals - `[..., 3]` unit length, float32
 * @returns `[..., bands^2]`
 * @differentiable normals (of the polynomials above; for unit length only the tangential part has a meaning)
 * @memory the caller owns the result
 * @throws {ShapeError} when the last dimension of `normals` is not 3
 * @throws {ValueError} when `bands` is not 1, 2 or 3
 * @example
 * sphericalHarmonicsBasis(tf.tensor2d([[0, 0, 1]])) // 0.282 0 0.489 0 0 0 0.631 0 0
 */
export function sphericalHarmonicsBasis<R extends Rank>(
  normals: Tensor<R>,
  options: SphericalHarmonicsOptions = {},
): Tensor<R> {
  const { bands = 3 } = options
  assertShape('sphericalHarmonicsBasis: normals', normals, ['...', 3])
  assertDataType('sphericalHarmonicsBasis: normals', normals, 'float32')
  assertBands('sphericalHarmonicsBasis', bands)
  return tidy(() => {
    const count = bands * bands
    const rows = reshape(normals, [-1, 3])
    const factor = (side: 0 | 1) => {
      const columns = FACTORS.slice(0, count).map((pair) => pair[side])
      const matrix = tensor2d([0, 1, 2].map((axis) => columns.map((column) => column[axis])))
      return fused.matMul({ a: rows, b: matrix, bias: tensor1d(columns.map((column) => column[3])) })
    }
    const shape: number[] = [...normals.shape.slice(0, -1), count]
    return reshape<Rank>(mul(factor(0), factor(1)), shape) as Tensor<R>
  })
}
