import { engine, type Tensor } from '@tensorflow/tfjs-core'

/** The same tensor as a constant: the same memory under another identity, which no gradient goes through (elsewhere stop-gradient
 * or detach).
 *
 * What `tensor` was made from is not differentiated at all, where a gradient of zeros would run through the whole backward pass.
 *
 * @memory the caller owns both
 */
export function untracked<T extends Tensor>({ dataId, shape, dtype }: T): T {
  engine().backend.incRef(dataId)
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }) as T
}
