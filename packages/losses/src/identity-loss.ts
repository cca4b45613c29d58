import {
  add,
  div,
  mean,
  mul,
  sqrt,
  square,
  sub,
  sum,
  tidy,
  type Scalar,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import { assertShape } from '@facekit/core'

/** Below this length an embedding has no direction. */
const SHORTEST = 1e-6

/** How unlike two faces are to a face recognition network: one minus the cosine of their embeddings.
 *
 * L_id = 1 - F(I_in) . F(I_r) / (|F(I_in)| |F(I_r)|)                                   (MM '22 paper, Eq. 7)
 *
 * @param pictureEmbedding - `[B, D]` F(I_in), of any length
 * @param renderedEmbedding - `[B, D]` F(I_r), of any length
 * @returns scalar, mean over the pictures, 0 (same direction) to 2; 1 when an embedding is 0
 * @differentiable both embeddings
 * @memory the caller owns the result
 * @throws {ShapeError} when the shapes differ
 * @example
 * identityLoss(tf.tensor2d([[1, 0]]), tf.tensor2d([[3, 3]])) // 1 - 1 / sqrt(2) = 0.2929
 */
export function identityLoss(pictureEmbedding: Tensor2D, renderedEmbedding: Tensor2D): Scalar {
  const known = assertShape('identityLoss: pictureEmbedding', pictureEmbedding, ['B', 'D'])
  assertShape('identityLoss: renderedEmbedding', renderedEmbedding, ['B', 'D'], known)
  return tidy(() => {
    const length = (x: Tensor2D) => sqrt(add(sum(square(x), 1), SHORTEST * SHORTEST))
    const dot = sum(mul(pictureEmbedding, renderedEmbedding), 1)
    const cosine = div(dot, mul(length(pictureEmbedding), length(renderedEmbedding)))
    return sub(1, mean(cosine)) as Scalar
  })
}
