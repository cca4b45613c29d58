import { backend, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import { ValueError } from '@facekit/core'
import { cachedNetwork, forgetNetwork, loadedNetwork } from '../network-cache.js'
import { embeddingLength } from './recognition-network.js'
import { SharedEmbedder } from './shared-embedder.js'

/** Says who is in a picture, as numbers. */
export interface Embedder {
  /** Length D of an embedding, 128. */
  readonly length: number
  /** Embeds aligned crops; embeddings of one person lie near each other (Euclidean distance, see the README).
   *
   * @param images - `[B, S, S, 3]` encoded sRGB, 0..1, faces as `alignFace` places them, S at least 32
   * @returns `[B, 128]`
   * @differentiable images (once: the gradient has no gradient); piecewise smooth.
   * @memory the caller owns the result
   * @throws {ShapeError} when the images are not square colour pictures of float32
   * @throws {ValueError} when the embedder is disposed, or was loaded on another backend
   */
  embed(images: Tensor4D): Tensor2D
  /** Closes the embedder. The weights are freed with the last one that is open on this backend. */
  dispose(): void
}

/** Loads the identity embedding: dlib's recognition network with the weights that face-api ships, 6.5 MB.
 *
 * The weights are loaded once for each backend and shared by all embedders. The same images give the same numbers. An
 * embedder works on the backend that was current when it was loaded.
 *
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const embedder = await loadEmbedder()
 * const [a, b] = tf.unstack(embedder.embed(crops))
 * tf.norm(tf.sub(a, b)) // small: the same person
 */
export async function loadEmbedder(): Promise<Embedder> {
  const owner = backend()
  const shared = await cachedNetwork('embedder', (weights) => new SharedEmbedder(weights))
  shared.users++
  let open = true
  return {
    length: embeddingLength,
    embed(images) {
      if (!open || shared.disposed) {
        throw new ValueError('embed: the embedder is disposed; load another with loadEmbedder')
      }
      if (backend() !== owner) {
        throw new ValueError(
          'embed: the backend is not that of loadEmbedder; load an embedder for each backend',
        )
      }
      return shared.embed(images)
    },
    dispose() {
      if (!open) return
      open = false
      shared.users--
      if (shared.users > 0 || shared.disposed) return
      forgetNetwork(shared)
      shared.dispose()
    },
  }
}

/** Embeds aligned crops with the network that `loadEmbedder` has loaded for the current backend.
 *
 * @param images - `[B, S, S, 3]` encoded sRGB, 0..1, faces as `alignFace` places them, S at least 32
 * @returns `[B, 128]`
 * @differentiable images (once); piecewise smooth
 * @memory the caller owns the result
 * @throws {ShapeError} when the images are not square colour pictures of float32
 * @throws {ValueError} when `loadEmbedder` has not been awaited on this backend
 * @example
 * await loadEmbedder()
 * const gradient = tf.grad((x) => tf.sum(tf.squaredDifference(embed(x), target)))(crops)
 */
export function embed(images: Tensor4D): Tensor2D {
  const shared = loadedNetwork('embedder')
  if (!(shared instanceof SharedEmbedder)) {
    throw new ValueError('embed: no embedder is loaded on this backend; await loadEmbedder() first')
  }
  return shared.embed(images)
}
