import * as tf from '@tensorflow/tfjs-core'

/** Points of a face, turned back, and by what they were turned. */
export interface CanonicalPoints {
  /** `[B, N, 3]` what is left of the points, turned, scaled and moved onto the template, in the template's unit. */
  residuals: tf.Tensor3D
  /** `[B, 3, 3]`, `[B, 1]` and `[B, 3]`: point = scale rotation (template + residual) + center. */
  rotation: tf.Tensor3D
  scale: tf.Tensor2D
  center: tf.Tensor2D
}

/** How often a matrix is squared: its greatest eigenvector stands out by the power of 2^8. */
const SQUARINGS = 8

/** Moves, turns and scales points onto a template, in the least squares sense: Horn, Closed-form solution of absolute orientation using unit
 * quaternions, JOSA A 4 (1987).
 *
 * The quaternion is the greatest eigenvector of a symmetric 4 x 4 matrix, which squaring brings out; heads are turned by less than 180 degrees.
 *
 * @param points - `[B, N, 3]` x to the right, y up, z to the camera
 * @param weights - `[B, N]` how much each counts, above 0
 * @param template - `[N, 3]`
 * @differentiable points, as what they are moved by were constant
 * @memory the caller owns the results
 */
export function canonicalPoints(
  points: tf.Tensor3D,
  weights: tf.Tensor2D,
  template: tf.Tensor2D,
): CanonicalPoints {
  return tf.tidy(() => {
    const shares = tf.expandDims(fixed(tf.div(weights, tf.sum(weights, 1, true))), 2) // (B, N, 1)
    const mean = (values: tf.Tensor) => tf.sum(tf.mul(values, shares), 1, true)
    const solid = fixed(points)
    const center = mean(solid)
    const offset = tf.expandDims(template, 0)
    const t = tf.sub(offset, mean(offset)) as tf.Tensor3D // (B, N, 3)
    const p = tf.sub(solid, center) as tf.Tensor3D
    const covariance = tf.matMul<tf.Tensor3D>(tf.mul(t, shares) as tf.Tensor3D, p, true) // (B, 3, 3)
    const rotation = rotationOf(covariance)
    const turned = tf.matMul(t, rotation, false, true)
    const scale = tf.div(
      tf.sum(tf.mul(tf.mul(turned, p), shares), [1, 2]),
      tf.maximum(tf.sum(tf.mul(tf.square(t), shares), [1, 2]), 1e-12),
    )
    const size = tf.reshape(tf.maximum(scale, 1e-6), [-1, 1, 1])
    // About the weighted mean of the template, as those of the points.
    const back = tf.matMul(tf.div(tf.sub(points, center), size) as tf.Tensor3D, rotation)
    return {
      residuals: tf.sub(back, t) as tf.Tensor3D,
      rotation,
      scale: tf.reshape(size, [-1, 1]) as tf.Tensor2D,
      center: tf.squeeze(center, [1]) as tf.Tensor2D,
    }
  })
}

/** `[B, 3, 3]` rotations that take the first points of a cross-covariance `sum a b^T` onto the second ones. */
function rotationOf(covariance: tf.Tensor3D): tf.Tensor3D {
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = [0, 1, 2].map((r) =>
    [0, 1, 2].map((c) => tf.reshape(tf.slice(covariance, [0, r, c], [-1, 1, 1]), [-1])),
  )
  const sum = (...terms: tf.Tensor[]) => tf.addN(terms)
  const minus = (x: tf.Tensor) => tf.neg(x)
  const symmetric = [
    [sum(xx, yy, zz), tf.sub(yz, zy), tf.sub(zx, xz), tf.sub(xy, yx)],
    [tf.sub(yz, zy), sum(xx, minus(yy), minus(zz)), sum(xy, yx), sum(zx, xz)],
    [tf.sub(zx, xz), sum(xy, yx), sum(minus(xx), yy, minus(zz)), sum(yz, zy)],
    [tf.sub(xy, yx), sum(zx, xz), sum(yz, zy), sum(minus(xx), minus(yy), zz)],
  ]
  let matrix = tf.stack(
    symmetric.map((row) => tf.stack(row, 1)),
    1,
  ) as tf.Tensor3D // (B, 4, 4)
  // Eigenvalues from -1 to 1 become those from 0 to 2, so that the greatest one is also the largest.
  matrix = tf.add(normalized(matrix), tf.eye(4))
  for (let i = 0; i < SQUARINGS; i++) matrix = normalized(tf.matMul(matrix, matrix))
  const first = tf.reshape(tf.slice(matrix, [0, 0, 0], [-1, -1, 1]), [-1, 4])
  const unit = tf.div(first, tf.maximum(tf.norm(first, 2, 1, true), 1e-12))
  const [w, x, y, z] = [0, 1, 2, 3].map((k) => tf.reshape(tf.slice(unit, [0, k], [-1, 1]), [-1]))
  const twice = (a: tf.Tensor, b: tf.Tensor) => tf.mul(tf.mul(a, b), 2)
  const rest = (a: tf.Tensor, b: tf.Tensor) => tf.sub(1, tf.add(twice(a, a), twice(b, b)))
  const rows = [
    [rest(y, z), tf.sub(twice(x, y), twice(w, z)), tf.add(twice(x, z), twice(w, y))],
    [tf.add(twice(x, y), twice(w, z)), rest(x, z), tf.sub(twice(y, z), twice(w, x))],
    [tf.sub(twice(x, z), twice(w, y)), tf.add(twice(y, z), twice(w, x)), rest(x, y)],
  ]
  return tf.stack(
    rows.map((row) => tf.stack(row, 1)),
    1,
  ) as tf.Tensor3D
}

const normalized = (matrix: tf.Tensor3D): tf.Tensor3D =>
  tf.div(matrix, tf.maximum(tf.sqrt(tf.sum(tf.square(matrix), [1, 2], true)), 1e-12))

/** The same numbers, through which no gradient flows. */
const fixed = <T extends tf.Tensor>(x: T): T =>
  tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(x) as T
