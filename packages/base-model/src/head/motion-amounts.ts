import { solveSymmetric } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'

/** Every so many vertices is looked at: movements are sums of some fifty modes. */
const STEP = 9
/** Of the mean square of the modes. */
const RIDGE = 1e-6

/** How far some of a model's expressions are on in a movement of its face, by least squares over all of its expressions.
 *
 * @param offsets - `[N * 3]` mm
 * @param names - by ARKit's names; those that the model doesn't have are 0
 */
export function motionAmounts(
  { shape: { expression, expressionNames = [] }, vertexCount, layout }: MorphableModel,
  offsets: ArrayLike<number>,
  names: readonly string[],
): Float64Array {
  const count = layout.expression
  const size = 3 * vertexCount
  const rows: number[] = []
  for (let i = 0; i < size; i += STEP) rows.push(i)
  const modes = Array.from({ length: count }, (_, k) =>
    Float64Array.from(rows, (i) => expression.data[k * size + i] as number),
  )
  const gram = new Float64Array(count * count)
  const right = new Float64Array(count)
  for (let a = 0; a < count; a++) {
    rows.forEach((i, r) => (right[a] += modes[a][r] * offsets[i]))
    for (let b = 0; b <= a; b++)
      for (let r = 0; r < rows.length; r++) gram[a * count + b] += modes[a][r] * modes[b][r]
  }
  let mean = 0
  for (let a = 0; a < count; a++) mean += gram[a * (count + 1)] / count
  for (let a = 0; a < count; a++) gram[a * (count + 1)] += RIDGE * mean + 1e-12
  const solved = solveSymmetric(gram, [right])
  return Float64Array.from(names, (name) => {
    const mode = expressionNames.indexOf(name)
    return solved && mode >= 0 ? right[mode] : 0
  })
}
