import { layersWeights } from '@facekit/engine'
import type { FaceRegressor } from '@facekit/regressor'
import type * as tf from '@tensorflow/tfjs-core'

/** Copies the weights that have the same name and shape in both, e.g. all but the last layer between networks of two face models.
 *
 * @returns how many numbers of how many
 */
export function copyWeights(from: FaceRegressor, to: FaceRegressor): string {
  const known = new Map(layersWeights(from.model).map(({ name, value }) => [name, value]))
  let [copied, all] = [0, 0]
  for (const { name, value } of layersWeights(to.model)) {
    const other = known.get(name)
    all += value.size
    if (!other || other.shape.join() !== value.shape.join()) continue
    ;(value as tf.Variable).assign(other as tf.Tensor)
    copied += value.size
  }
  return `${copied} of ${all}`
}
