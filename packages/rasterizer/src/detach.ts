import { engine, type Tensor } from '@tensorflow/tfjs-core'

/** Gives a tensor a second identity, which no gradient goes through: the same memory, off the tape.
 *
 * @memory the caller owns both
 */
export function aliasOf<T extends Tensor>({ dataId, shape, dtype }: T): T {
  engine().backend.incRef(dataId)
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }) as T
}

/** Takes a tensor off the tape: the same memory under a new identity, which no gradient goes through.
 *
 * Without it, `tf.greaterEqual(triangleIds, 0)` in a loss would fail, because tfjs looks for a gradient of the comparison.
 *
 * @memory replaces `tensor`, which is disposed
 */
export function detach<T extends Tensor>(tensor: T): T {
  const result = aliasOf(tensor)
  tensor.dispose()
  return result
}
