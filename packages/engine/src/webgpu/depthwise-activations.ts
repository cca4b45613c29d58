import type { TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, runTypedKernel } from '../tfjs/typed-kernel.js'

/** Activations for which NaN is a number in the stock shader, and the kernels of ours that keep it. */
const KERNELS: Record<string, string | undefined> = { relu6: 'Relu6', elu: 'Elu', sigmoid: 'Sigmoid' }

/** Lets FusedDepthwiseConv2D of the WebGPU backend keep NaN: these activations become a pass of their own. */
export function registerDepthwiseActivations(): void {
  replaceTypedKernel<Record<string, TensorInfo>, { activation?: string }>(
    'FusedDepthwiseConv2D',
    'webgpu',
    (stock) => (args) => {
      const { attrs, backend } = args
      const kernel = KERNELS[attrs.activation ?? 'linear']
      if (!kernel) return stock(args)
      const x = stock({ ...args, attrs: { ...attrs, activation: 'linear' } })
      const result = runTypedKernel(kernel, 'webgpu', { inputs: { x }, attrs: {}, backend })
      backend.disposeData(x.dataId)
      return result
    },
  )
}
