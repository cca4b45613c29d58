import { engine } from '@tensorflow/tfjs-core'
import type { BackendProvider } from './backend-provider.js'
import { instantiateBackend } from './instantiate-backend.js'
import { depthwiseFilterGradient, depthwiseInputGradient } from '../gradients/depthwise-gradients.js'
import { silenceCpuBackend } from '../tfjs/silence-cpu-backend.js'
import { registerBroadcastBatchNorm } from '../layers/fused-batch-norm.js'
import { maxPool } from '../cpu/max-pool.js'
import { registerHostTransform } from '../transform/register-transform.js'
import { registerPlainKernel } from '../cpu/plain-kernel.js'
import { resizeBilinearGradient, resizeNearestGradient } from '../gradients/resize-gradients.js'
import { registerCpuUnsortedSegmentSum } from '../wasm/unsorted-segment-sum.js'

let complete = false

/** Plain JavaScript: slow, and works everywhere. */
export const cpuBackend: BackendProvider = {
  name: 'cpu',
  probe: async () => ({
    backend: 'cpu',
    available: true,
    reason: 'plain JavaScript works everywhere, and is slow',
  }),
  start: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
    if (!complete) {
      complete = true
      registerCpuUnsortedSegmentSum()
      registerBroadcastBatchNorm('cpu')
      registerHostTransform('cpu')
      registerPlainKernel('cpu', maxPool)
      for (const kernel of [resizeBilinearGradient, resizeNearestGradient]) registerPlainKernel('cpu', kernel)
      registerPlainKernel('cpu', depthwiseInputGradient)
      registerPlainKernel('cpu', depthwiseFilterGradient)
    }
    await instantiateBackend('cpu')
    silenceCpuBackend(engine().registry.cpu)
    return {}
  },
}
