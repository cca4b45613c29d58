import { assertShape } from '@facekit/core'
import { evaluateShape, type MorphableModel } from '@facekit/morphable'
import {
  dispose,
  matMul,
  mul,
  pad,
  reshape,
  slice,
  square,
  sub,
  sum,
  tensor2d,
  tidy,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import { choleskyFactor, solveLower } from './cholesky.js'

/** Quantile of the standard normal distribution for 0.6827, the share within one standard deviation of one number. */
const ONE_DEVIATION = 0.4753

/** How far each vertex may be from where the fit puts it: the radius in which it lies with a probability of 68.27 %, mm.
 *
 * Space: the head's own, without pose. What a similarity of the whole face can undo (turn, shift and size) does not count: it is the error that is left
 * when two heads are laid over each other, each vertex weighted by its share of the surface.
 *
 * A vertex' error e is normal with a 3 x 3 covariance; |e|^2 is a weighted sum of chi-squares, taken as a gamma distribution with the same
 * mean and variance (Satterthwaite), its quantile by Wilson and Hilferty. Where the error has one direction, it is the standard deviation itself.
 *
 * @param covariance - `[(Ki + Ke)^2]` of identity and expression coefficients, e.g. `LandmarkFit.posterior.covariance`
 * @param coefficients - `[Ki + Ke]` of the fitted face
 * @returns `[N]` mm
 * @throws {ShapeError} when the numbers are not those of the model
 */
export async function shapeUncertainty(
  model: MorphableModel,
  coefficients: Float32Array,
  covariance: Float64Array,
): Promise<Float32Array> {
  const { identity, expression } = model.layout
  const count = identity + expression
  assertShape('shapeUncertainty: coefficients', { shape: [coefficients.length] }, [count])
  assertShape('shapeUncertainty: covariance', { shape: [covariance.length] }, [count * count])
  const factor = choleskyFactor(stabilized(covariance, count), count)!
  const n = model.vertexCount
  const split = (rows: Float32Array, batch: number) => {
    const part = (from: number, size: number) => {
      const values = new Float32Array(batch * size)
      for (let b = 0; b < batch; b++)
        values.set(rows.subarray(b * count + from, b * count + from + size), b * size)
      return tensor2d(values, [batch, size])
    }
    return { identity: part(0, identity), expression: part(identity, expression) }
  }
  // Row j: the coefficients that one independent unit of error moves.
  const units = new Float32Array(count * count)
  for (let j = 0; j < count; j++) for (let k = j; k < count; k++) units[j * count + k] = factor[k * count + j]
  const fitted = tidy(() => evaluateShape(model, split(coefficients, 1)))
  const positions = (await fitted.data()) as Float32Array
  fitted.dispose()
  const areas = vertexAreas(positions, model.triangles, n)
  const motions = similarityMotions(positions, areas)
  const radii = tidy(() => {
    const mean = tensor2d(model.shape.mean.data as Float32Array, [1, 3 * n])
    const moved = sub(reshape(evaluateShape(model, split(units, count)), [count, 3 * n]), mean) as Tensor2D
    const weights = tensor2d(
      Float32Array.from({ length: 3 * n }, (_, i) => areas[Math.floor(i / 3)]),
      [1, 3 * n],
    )
    const fields = tensor2d(motions, [7, 3 * n])
    const shares = matMul(mul(moved, weights), fields, false, true)
    const errors = sub(moved, matMul(shares, fields)) as Tensor2D
    // Squares and products of neighbouring coordinates: a shifted copy is read faster than one coordinate of three.
    const shifted = (by: number) =>
      pad(slice(errors, [0, by], [count, 3 * n - by]), [
        [0, 0],
        [0, by],
      ])
    return {
      squares: sum(square(errors), 0),
      next: sum(mul(errors, shifted(1)), 0),
      second: sum(mul(errors, shifted(2)), 0),
    }
  })
  const [squares, next, second] = await Promise.all(
    [radii.squares, radii.next, radii.second].map((t) => t.data()),
  )
  dispose(radii)
  return Float32Array.from({ length: n }, (_, i) => {
    const [xx, yy, zz] = squares.subarray(3 * i, 3 * i + 3)
    const [xy, yz, xz] = [next[3 * i], next[3 * i + 1], second[3 * i]]
    const t = xx + yy + zz
    if (!(t > 0)) return 0
    const freedom = (t * t) / (xx * xx + yy * yy + zz * zz + 2 * (xy * xy + yz * yz + xz * xz))
    const v = 2 / (9 * freedom)
    // The worst error, 0.3 %, is at one degree of freedom.
    return Math.sqrt(t * (1 - v + ONE_DEVIATION * Math.sqrt(v)) ** 3)
  })
}

/** A covariance that rounding may have made slightly indefinite. */
function stabilized(covariance: Float64Array, n: number): Float64Array {
  const result = Float64Array.from(covariance)
  for (let i = 0; i < n; i++) result[i * n + i] = result[i * n + i] * (1 + 1e-9) + 1e-12
  return result
}

/** `[N]` a third of the area of each vertex' triangles, as a share of the whole. */
function vertexAreas(positions: Float32Array, triangles: Int32Array, n: number): Float64Array {
  const areas = new Float64Array(n)
  let total = 0
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = triangles.subarray(t, t + 3)
    const edge = (to: number) => [0, 1, 2].map((axis) => positions[3 * to + axis] - positions[3 * a + axis])
    const [u, v] = [edge(b), edge(c)]
    const area =
      Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 6
    for (const vertex of [a, b, c]) areas[vertex] += area
    total += 3 * area
  }
  return areas.map((area) => area / total)
}

/** `[7 * 3N]` infinitesimal shifts, turns and growth of a shape, orthonormal under the weights of the vertices. */
function similarityMotions(positions: Float32Array, weights: Float64Array): Float32Array {
  const n = weights.length
  const centre = [0, 0, 0]
  for (let i = 0; i < n; i++)
    for (let axis = 0; axis < 3; axis++) centre[axis] += weights[i] * positions[3 * i + axis]
  const fields = Array.from({ length: 7 }, () => new Float64Array(3 * n))
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [0, 1, 2].map((axis) => positions[3 * i + axis] - centre[axis])
    for (let axis = 0; axis < 3; axis++) fields[axis][3 * i + axis] = 1
    fields[3].set([0, -z, y], 3 * i)
    fields[4].set([z, 0, -x], 3 * i)
    fields[5].set([-y, x, 0], 3 * i)
    fields[6].set([x, y, z], 3 * i)
  }
  const gram = new Float64Array(49)
  for (let a = 0; a < 7; a++)
    for (let b = 0; b <= a; b++)
      for (let i = 0; i < 3 * n; i++)
        gram[7 * a + b] += weights[Math.floor(i / 3)] * fields[a][i] * fields[b][i]
  const factor = choleskyFactor(gram, 7)!
  const result = new Float32Array(21 * n)
  const column = new Float64Array(7)
  for (let i = 0; i < 3 * n; i++) {
    for (let a = 0; a < 7; a++) column[a] = fields[a][i]
    solveLower(factor, 7, column)
    for (let a = 0; a < 7; a++) result[a * 3 * n + i] = column[a]
  }
  return result
}
