import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { replaceWasmKernel } from './wasm-kernel.js'

/** Lets Identity, and Cast to the type that a tensor has, give out the same memory again, as they do on the other backends: stock WASM
 * copies it. Every tensor that is saved for a gradient goes through Identity: for a picture that is rendered and differentiated these copies
 * took a tenth of the time. Who changes memory in place has to look at its count (`makeSole`). */
export function registerWasmAliases(): void {
  for (const name of ['Identity', 'Cast']) {
    replaceWasmKernel<'x', { dtype?: DataType } | undefined>(name, (stock) => (args) => {
      const { x } = args.inputs
      // tf.clone comes without attributes.
      const dtype = args.attrs?.dtype ?? x.dtype
      if (dtype === 'bool' && x.dtype !== 'bool') return toBooleans(args.backend, x)
      if (dtype !== x.dtype || dtype === 'string') return stock(args)
      args.backend.incRef(x.dataId)
      return { dataId: x.dataId, shape: x.shape, dtype }
    })
  }
}

/** The stock kernel keeps the low eight bits of an integer: 0.3 and 256 are false to it. */
function toBooleans(backend: BackendWasm, x: TensorInfo): TensorInfo {
  const result = backend.makeOutput(x.shape, 'bool')
  const [from, to] = [x, result].map((tensor) => backend.typedArrayFromHeap(tensor))
  for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : 1
  return result
}
