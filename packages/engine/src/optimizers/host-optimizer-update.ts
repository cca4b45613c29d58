import { engine, tensor, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { makeSole } from './optimizer-state.js'
import { dataChanged } from '../wasm/changed-data.js'

/** Changes variables by a loop over typed arrays: on WASM in place, on the CPU backend into new arrays, since a user may hold the old ones
 * (`dataSync` gives them out, `tf.tensor` takes them in).
 *
 * @param update - fills `to` from `from`, which may be the same arrays, and the gradient
 */
export function updateOnHost(
  variables: readonly Variable[],
  gradient: Tensor,
  update: (gradient: Float32Array, from: Float32Array[], to: Float32Array[]) => void,
): void {
  const { backend, backendName } = engine()
  if (backendName === 'wasm') {
    const wasm = backend as BackendWasm
    for (const variable of variables) makeSole(variable)
    // Whatever moves here from elsewhere allocates, and so comes before any view.
    for (const { dataId } of [gradient, ...variables]) wasm.getMemoryOffset(dataId)
    const view = (x: Tensor) => wasm.typedArrayFromHeap(x) as Float32Array
    const arrays = variables.map(view)
    update(view(gradient), arrays, arrays)
    for (const { dataId } of variables) dataChanged(wasm, dataId)
    return
  }
  const from = variables.map((variable) => variable.dataSync<'float32'>())
  const to = from.map((values) => new Float32Array(values.length))
  update(gradient.dataSync<'float32'>(), from, to)
  tidy(() => variables.forEach((variable, i) => variable.assign(tensor(to[i], variable.shape))))
}
