import { engine, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core'

/* Contributor notes
 *
 * tfjs keeps all that the backward pass needs, and all that it makes, until it ends: of each activation its numbers and its gradient. What a record of the tape has
 * saved, and the gradients that come into it, are needed by nobody when it is done; that is known when the next one begins. So at the end of
 * the forward pass the records' gradients are put into others that free those of the one before.
 */

interface TapeNode {
  inputs: NamedTensorMap
  saved?: Tensor[]
  gradient?: (upstream: (Tensor | null)[]) => Record<string, () => Tensor>
}

/** A forward pass whose backward pass frees what is not needed any more as it goes. For `engine().gradients`, with respect to variables, once.
 *
 * @param f - a loss
 */
export function freeEarly<T>(f: () => T): () => T {
  const { state } = engine()
  // Inside of another gradient the records are needed again.
  if (state.gradientDepth > 0) return f
  return () => {
    const result = f()
    let done = () => {}
    for (const node of state.activeTape as TapeNode[]) {
      const { gradient, saved = [] } = node
      if (gradient === undefined) continue
      node.gradient = function (this: TapeNode | undefined, upstream) {
        done()
        const spent = new Set<Tensor>(saved)
        for (const tensor of upstream) if (tensor) spent.add(tensor)
        done = () => {
          for (const tensor of spent) tensor.dispose()
        }
        const found = gradient.call(this, upstream)
        const watched: typeof found = {}
        for (const name of Object.keys(found)) {
          watched[name] = () => {
            const result = found[name]()
            // Handed on as it came.
            spent.delete(result)
            return result
          }
        }
        return watched
      }
    }
    return result
  }
}
