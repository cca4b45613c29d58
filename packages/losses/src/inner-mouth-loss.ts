import { abs, add, div, mul, sub, sum, tidy, type Scalar, type Tensor4D } from '@tensorflow/tfjs-core'
import { assertShape } from '@facekit/core'
import { customGradient } from './custom-gradient.js'

/** Keeps 0 / 0 at 0. */
const TINY = 1e-20

/** Area by which the rendered mouth opening differs from the labelled one.
 *
 * L_mouth = |A - A^p|, summed over the pixels                                          (MM '22 paper, Eq. 11)
 *
 * A pixel counts by its share that only one of the two masks covers, so the unit is pixels: the paper's weight of this loss is
 * for pictures of 224 x 224. Nothing is divided by the number of pixels.
 *
 * @param innerMouth - `[B, H, W, 1]` A, labelled, 0..1
 * @param rendered - `[B, H, W, 1]` A^p, rendered with soft edges (`antialias`), 0..1
 * @returns scalar, mean over the pictures, pixels
 * @differentiable rendered (0 where it meets its label). No gradient: innerMouth.
 * @memory the caller owns the result
 * @throws {ShapeError} when the shapes differ
 * @example
 * innerMouthLoss(tf.zeros([1, 8, 8, 1]), tf.fill([1, 8, 8, 1], 0.25)) // 64 * 0.25 = 16
 */
export function innerMouthLoss(innerMouth: Tensor4D, rendered: Tensor4D): Scalar {
  const known = assertShape('innerMouthLoss: innerMouth', innerMouth, ['B', 'H', 'W', 1])
  assertShape('innerMouthLoss: rendered', rendered, ['B', 'H', 'W', 1], known)
  return customGradient(
    rendered,
    (x) =>
      tidy(() => {
        const difference = sub(x, innerMouth)
        return { value: div(sum(abs(difference)), known.B), saved: [difference] }
      }),
    // tfjs' own gradient of abs is -1 at 0: it would open a mouth that is rightly shut. Its WASM sign is 0 near 0, too.
    (dy, [difference]) => tidy(() => mul(div(difference, add(abs(difference), TINY)), div(dy, known.B))),
  ) as Scalar
}
