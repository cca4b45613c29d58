import type { DataType } from '@tensorflow/tfjs-core'
import { registerWasmKernel, stockWasmKernel } from './wasm-kernel.js'

/** Lets Identity, and Cast to the type that a tensor has, give out the same memory again, as they do on the other backends: stock WASM
 * copies it. Every tensor that is saved for a gradient goes through Identity: for a picture that is rendered and differentiated these copies
 * took a tenth of the time. Who changes memory in place has to look at its count (`makeSole`). */
export function registerWasmAliases(): void {
  for (const name of ['Identity', 'Cast']) {
    const stock = stockWasmKernel<'x', { dtype?: DataType } | undefined>(name)
    registerWasmKernel<'x', { dtype?: DataType } | undefined>(
      name,
      (args) => {
        const { x } = args.inputs
        // tf.clone comes without attributes.
        const dtype = args.attrs?.dtype ?? x.dtype
        if (dtype !== x.dtype || dtype === 'string') return stock.run(args)
        args.backend.incRef(x.dataId)
        return { dataId: x.dataId, shape: x.shape, dtype }
      },
      stock.config,
    )
  }
}
