import { ones, tidy, Variable, zeros, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core'
import { layerPrototype } from '../tfjs/layer-class.js'
import { batchNormalization } from './batch-normalization.js'
import { hasOwnKernels } from '../backends/own-kernels.js'

/** Fields of the layer of tfjs-layers that are used here. */
interface BatchNormalizationLayer {
  axis: number
  momentum: number
  epsilon: number
  gamma?: LayerVariable
  beta?: LayerVariable
  movingMean: LayerVariable
  movingVariance: LayerVariable
  call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor | Tensor[]
}

interface LayerVariable {
  read(): Tensor
}

let complete = false

/** Makes `tf.layers.batchNormalization`, in training mode and over the last axis, run the fused operation. Weights, moving averages and
 * serialisation stay; so does all else that the layer does. Does nothing the second time, and without tfjs-layers. */
export function completeBatchNormalizationLayer(): void {
  const prototype = layerPrototype<BatchNormalizationLayer>('BatchNormalization')
  if (complete || !prototype) return
  complete = true
  const stock = prototype.call
  prototype.call = function (inputs, kwargs) {
    return (kwargs?.training && train(this, inputs)) || stock.call(this, inputs, kwargs)
  }
}

/** @returns nothing where the stock layer must do it */
function train(layer: BatchNormalizationLayer, inputs: Tensor | Tensor[]): Tensor | undefined {
  const x = Array.isArray(inputs) ? inputs[0] : inputs
  const last = x.rank - 1
  const channels = x.shape[last]
  if (!hasOwnKernels() || x.dtype !== 'float32' || x.size === 0) return undefined
  if (layer.axis !== -1 && layer.axis !== last) return undefined
  const [mean, variance] = [layer.movingMean.read(), layer.movingVariance.read()]
  if (!(mean instanceof Variable && variance instanceof Variable)) return undefined
  return tidy(() => {
    const scale = (layer.gamma?.read() ?? ones([channels])) as Tensor1D
    const offset = (layer.beta?.read() ?? zeros([channels])) as Tensor1D
    const { epsilon, momentum } = layer
    return batchNormalization(x, scale, offset, { epsilon, moving: { mean, variance, momentum } }).output
  })
}
