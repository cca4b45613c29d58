import { engine, type Tensor } from '@tensorflow/tfjs-core'

/** Takes a tensor off the tape: the same memory under a new identity, which no gradient goes through.
 *
 * Without it, `tf.greaterEqual(triangleIds, 0)` in a loss would fail, because tfjs looks for a gradient of the comparison.
 *
 * Memory: replaces `tensor`, which is disposed.
 */
export function detach<T extends Tensor>(tensor: T): T {
  const { dataId, shape, dtype } = tensor
  engine().backend.incRef(dataId)
  const result = engine().makeTensorFromTensorInfo({ dataId, shape, dtype })
  tensor.dispose()
  return result as T
}
