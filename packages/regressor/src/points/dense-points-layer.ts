import {
  denseOutputs,
  headShapes,
  inferenceMoments,
  trainableMoments,
  type HeadWeights,
} from '@facekit/annotate'
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers } from '@tensorflow/tfjs-layers'
import { canonicalPoints } from './canonical-points.js'

/** How many points the layer finds, as `DenseCounts` of @facekit/annotate. */
export interface DensePointsConfig {
  name: string
  points: number
  outline: number
  identity: number
}

type Shape = (number | null)[]
/** What tfjs-layers gives of a variable. */
interface Weight {
  read(): tf.Tensor
}

/** Brings differences of some mm on a face to about 1. */
const RESIDUAL_UNIT = 0.01
/** Deviations of points, in widths of the picture, are about this. */
const USUAL_DEVIATION = 0.01
/** Added to the variances of points when they are moved onto the template: none counts for everything. */
const LEAST_DEVIATION = 0.01
/** How much faces' sizes in the picture, and their places, differ. */
const SCALE_UNIT = 0.1
const CENTER_UNIT = 0.05
/** About how large features of the whole picture are. */
const FEATURE_UNIT = 0.025

/** From a dense landmark network's last maps and features to numbers about a face: where its points differ from the mean face once that is moved, turned and scaled
 * onto them, how it was, what the picture says of the identity, and how sure the network is.
 *
 * Takes `[maps [B, H, W, C], features [B, 1, 1, F]]`; gives `[B, 3 N + 13 + K]`, which shape and pose are about linear in, and
 * `[B, (N + outline) + N + F]`.
 */
export class DensePointsLayer extends layers.Layer {
  static readonly className = 'FacekitDensePoints'
  readonly #config: DensePointsConfig
  readonly #weights = new Map<string, Weight>()

  constructor(config: DensePointsConfig) {
    super(config)
    this.#config = config
  }

  override build(inputShape: Shape | Shape[]): void {
    const [maps, features] = inputShape as Shape[]
    const { points } = this.#config
    for (const [name, shape] of Object.entries(headShapes(this.#config, maps[3]!, features[3]!))) {
      const weight = this.addWeight(name, shape, 'float32', initializers.zeros())
      this.#weights.set(name, weight as unknown as Weight)
    }
    const template = this.addWeight(
      'template',
      [points, 3],
      'float32',
      initializers.zeros(),
      undefined,
      false,
    )
    this.#weights.set('template', template as unknown as Weight)
    this.built = true
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape[] {
    const [, features] = inputShape as Shape[]
    const { points, outline, identity } = this.#config
    return [
      [null, 3 * points + 13 + identity],
      [null, 2 * points + outline + features[3]!],
    ]
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor[] {
    const [maps, features] = inputs as tf.Tensor4D[]
    return tf.tidy(() => {
      const heads = Object.fromEntries([...this.#weights].map(([name, weight]) => [name, weight.read()]))
      const moments = kwargs.training ? trainableMoments : inferenceMoments
      const found = denseOutputs({ maps, features }, heads as unknown as HeadWeights, this.#config, moments)
      const [batch, points] = found.depths.shape
      const mesh = (tensor: tf.Tensor) => tf.slice(tensor, [0, 0], [-1, points])
      // From widths of the picture, y down, to about the middle, y up.
      const flat = tf.mul(tf.sub(tf.slice(found.positions, [0, 0, 0], [-1, points, -1]), 0.5), [1, -1])
      const solid = tf.concat([flat, tf.expandDims(found.depths, 2)], 2) as tf.Tensor3D
      const variances = tf.exp(tf.mul(mesh(found.logDeviations), 2))
      const weights = tf.div(LEAST_DEVIATION ** 2, tf.add(variances, LEAST_DEVIATION ** 2)) as tf.Tensor2D
      const { residuals, rotation, scale, center } = canonicalPoints(
        solid,
        weights,
        heads.template as tf.Tensor2D,
      )
      const relative = (logarithms: tf.Tensor) => tf.sub(logarithms, Math.log(USUAL_DEVIATION))
      const linear = [
        tf.div(tf.reshape(residuals, [batch, -1]), RESIDUAL_UNIT),
        tf.reshape(rotation, [batch, 9]),
        tf.div(tf.log(scale), SCALE_UNIT),
        tf.div(center, CENTER_UNIT),
        found.identity,
      ]
      const rest = [
        relative(found.logDeviations),
        relative(found.logDepthDeviations),
        tf.div(tf.reshape(features, [batch, -1]), FEATURE_UNIT),
      ]
      return [tf.concat(linear, 1), tf.concat(rest, 1)]
    })
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { points, outline, identity } = this.#config
    return { ...super.getConfig(), points, outline, identity }
  }
}
