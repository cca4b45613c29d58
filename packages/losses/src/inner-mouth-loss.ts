import { assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { abs, add, div, mul, sub, sum, tidy, type Scalar, type Tensor4D } from '@tensorflow/tfjs-core'

/** Keeps 0 / 0 at 0. */
const TINY = 1e-20

const kernel = defineKernel({
  name: 'FacekitInnerMouthLoss',
  inputs: { rendered: 'float32', innerMouth: 'float32' },
  outputs: () => ({ loss: float32([]) }),
  keeps: ({ rendered }) => ({ difference: float32(rendered) }),
  constants: ['innerMouth'],
  operations({ rendered, innerMouth }) {
    const difference = sub(rendered, innerMouth)
    return { loss: div(sum(abs(difference)), rendered.shape[0]), difference }
  },
  // tfjs' own gradient of abs is -1 at 0: it would open a mouth that is rightly shut. Its WASM sign is 0 near 0, too.
  gradient: ({ upstream, saved: { difference } }) => ({
    rendered: () =>
      tidy(() => mul(div(difference, add(abs(difference), TINY)), div(upstream.loss, difference.shape[0]))),
  }),
})

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
  return kernel({ rendered, innerMouth })
}
