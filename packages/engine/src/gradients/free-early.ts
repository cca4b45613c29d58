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

/** Who wants to know of gradients before the backward pass has ended. */
export interface GradientListener {
  variables: readonly Tensor[]
  /** Called when all of a variable's gradient is there; not for one that the forward pass uses several times. */
  onGradient(index: number, gradient: Tensor): void
}

/** A forward pass whose backward pass frees what is not needed any more as it goes. For `engine().gradients`, with respect to variables, once.
 *
 * @param f - a loss
 */
export function freeEarly<T>(f: () => T, listener?: GradientListener): () => T {
  const { state } = engine()
  // Inside of another gradient the records are needed again.
  if (state.gradientDepth > 0) return f
  return () => {
    const result = f()
    let done = () => {}
    const tape = state.activeTape as TapeNode[]
    const indices = listener ? usedOnce(tape, listener.variables) : new Map<number, number>()
    for (const node of tape) {
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
            const index = indices.get(node.inputs[name]?.id)
            if (index !== undefined) listener!.onGradient(index, result)
            return result
          }
        }
        return watched
      }
    }
    return result
  }
}

/** Places of the tensors that one record reads, and only once, by their ids. */
function usedOnce(tape: readonly TapeNode[], tensors: readonly Tensor[]): Map<number, number> {
  const uses = new Map(tensors.map(({ id }) => [id, 0]))
  for (const { inputs } of tape) {
    for (const { id } of Object.values(inputs)) {
      const count = uses.get(id)
      if (count !== undefined) uses.set(id, count + 1)
    }
  }
  return new Map(tensors.flatMap(({ id }, i) => (uses.get(id) === 1 ? [[id, i] as const] : [])))
}
