import type { MorphableModel } from '@facekit/morphable'
import ndarray from 'ndarray'

/** A model whose landmarks are moved to given places, and the rest along with them: a tiny face with the proportions of an
 * average one.
 *
 * @param targets - `[68 * 3]` mm
 */
export function moveLandmarks(model: MorphableModel, targets: ArrayLike<number>): MorphableModel {
  const { data } = model.shape.mean
  const mean = Float32Array.from(data)
  const offsets = Array.from(model.landmarks, (vertex, i) =>
    [0, 1, 2].map((c) => targets[i * 3 + c] - data[vertex * 3 + c]),
  )
  for (let v = 0; v < model.vertexCount; v++) {
    const weights = Array.from(model.landmarks, (vertex) => {
      const square = [0, 1, 2].reduce((sum, c) => sum + (data[v * 3 + c] - data[vertex * 3 + c]) ** 2, 0)
      return 1 / (square + 4) ** 1.5
    })
    const total = weights.reduce((sum, value) => sum + value, 0)
    for (let c = 0; c < 3; c++) {
      mean[v * 3 + c] += offsets.reduce((sum, offset, i) => sum + (weights[i] * offset[c]) / total, 0)
    }
  }
  return { ...model, shape: { ...model.shape, mean: ndarray(mean, [...model.shape.mean.shape]) } }
}
