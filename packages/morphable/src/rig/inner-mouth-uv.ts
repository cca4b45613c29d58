import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'

/** Texture coordinates of the sheet that closes the mouth (`innerMouthTriangles`), for a map of its own: where its vertices lie, seen from the front, when
 * `jawOpen` parts the lips of the mean face; that box fills the map.
 *
 * @returns `[N * 2]` in 0..1, origin at the lower left, 0 for vertices that are not of the sheet; undefined for a model without such a sheet, or
 * whose expressions do not name `jawOpen`
 */
export function innerMouthUv(model: MorphableModel): Float32Array | undefined {
  const { mean, expression, expressionNames = [], expressionRange } = model.shape
  const jaw = expressionNames.indexOf('jawOpen')
  if (jaw < 0 || model.innerMouthTriangles.length === 0) return undefined
  const [rest, modes] = [denseData(mean), denseData(expression)]
  const opened = expressionRange?.[1] ?? 1
  const sheet = [...new Set(model.innerMouthTriangles)]
  const uv = new Float32Array(2 * model.vertexCount)
  for (const axis of [0, 1]) {
    const places = sheet.map(
      (v) => rest[3 * v + axis] + opened * modes[3 * (jaw * model.vertexCount + v) + axis],
    )
    const [low, high] = [Math.min(...places), Math.max(...places)]
    if (!(high > low)) return undefined
    for (const [i, v] of sheet.entries()) uv[2 * v + axis] = (places[i] - low) / (high - low)
  }
  return uv
}
