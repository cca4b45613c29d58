import { untracked } from '@facekit/kernels'
import type { Tensor } from '@tensorflow/tfjs-core'

/** The same values, as a constant: no gradient flows back, and none is computed (elsewhere stop-gradient or detach).
 *
 * @memory the caller owns the result
 */
export const constant = <T extends Tensor>(x: T): T => untracked(x)
