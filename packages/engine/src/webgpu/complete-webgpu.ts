import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import {
  replaceTypedKernel,
  runTypedKernel,
  type KernelInputs,
  type TypedKernel,
} from '../tfjs/typed-kernel.js'
import { registerGpuConvolutions } from './conv/conv-kernels.js'
import { registerGpuBatchNorm } from '../layers/fused-batch-norm.js'
import { registerGpuCopies } from './copy-kernels.js'
import { registerGpuPools } from './pool/pool.js'
import { registerDepthwiseActivations } from './depthwise-activations.js'
import { registerGpuUnaries } from './unary.js'
import { registerGpuPoolGradients } from './pool/pool-gradient.js'
import { registerGpuReductions } from './reduction-kernels.js'
import { castToFloat } from './cast.js'
import { registerGpuTransform } from '../transform/register-transform.js'
import { registerHalfSums } from './half-sums.js'
import { registerGpuArgExtrema } from './arg-extremum.js'
import { registerTrigonometry } from './trigonometry.js'

let complete = false

/** Replaces kernels of the WebGPU backend that fail silently: sums of many tensors, padding above four axes, and sines and
 * cosines that are right to three digits only. Does nothing the second time. The package `@tensorflow/tfjs-backend-webgpu` must have been imported. */
export function completeWebgpu(device: GPUDevice): void {
  if (complete) return
  complete = true
  // One storage buffer is the result.
  const operands = Math.max(2, device.limits.maxStorageBuffersPerShaderStage - 1)
  replaceTypedKernel<TensorInfo[], unknown>(
    'AddN',
    'webgpu',
    (stock) => (args) => addInGroups(stock, args, operands),
  )
  replaceTypedKernel<KernelInputs<'x'>, PadAttributes>(
    'PadV2',
    'webgpu',
    (stock) => (args) => padAxisByAxis(stock, args),
  )
  replaceTypedKernel<KernelInputs<'x'>, { dtype: string }>('Cast', 'webgpu', (stock) => (args) => {
    const {
      inputs: { x },
      attrs: { dtype },
      backend,
    } = args
    const integers = x.dtype === 'int32' || x.dtype === 'bool'
    return integers && dtype === 'float32' ? castToFloat(backend, x) : stock(args)
  })
  registerGpuConvolutions()
  registerGpuReductions()
  registerGpuPools()
  registerGpuPoolGradients()
  registerGpuUnaries()
  registerDepthwiseActivations()
  registerGpuCopies()
  registerGpuBatchNorm()
  registerTrigonometry()
  registerGpuTransform()
  registerGpuArgExtrema()
  registerHalfSums()
}

interface PadAttributes {
  paddings: [number, number][]
  constantValue: number
}

type AddKernel = TypedKernel<TensorInfo[], unknown>
type PadKernel = TypedKernel<KernelInputs<'x'>, PadAttributes>

/** AddN binds one storage buffer for each operand, and a GPU has few: the stock kernel's pipeline is invalid above that. */
function addInGroups(
  stock: AddKernel,
  { inputs, attrs, backend }: Parameters<AddKernel>[0],
  operands: number,
): TensorInfo {
  let rest = Object.values(inputs)
  const made: TensorInfo[] = []
  while (rest.length > operands) {
    const sum = stock({ inputs: rest.slice(0, operands), attrs, backend })
    made.push(sum)
    rest = [sum, ...rest.slice(operands)]
  }
  const result = stock({ inputs: rest, attrs, backend })
  for (const sum of made) backend.disposeData(sum.dataId)
  return result
}

/** PadV2 writes its shader for up to four axes. Above that, one axis after the other, as `[before, axis, after]`. */
function padAxisByAxis(stock: PadKernel, args: Parameters<PadKernel>[0]): TensorInfo {
  const {
    inputs: { x },
    attrs: { paddings, constantValue },
    backend,
  } = args
  if (x.shape.length <= 4) return stock(args)
  const shape = [...x.shape]
  let current: TensorInfo = x
  for (const [axis, [before, after]] of paddings.entries()) {
    if (before === 0 && after === 0) continue
    const flat = {
      ...current,
      shape: [
        util.sizeFromShape(shape.slice(0, axis)),
        shape[axis],
        util.sizeFromShape(shape.slice(axis + 1)),
      ],
    }
    const attrs: PadAttributes = {
      paddings: [
        [0, 0],
        [before, after],
        [0, 0],
      ],
      constantValue,
    }
    const padded = stock({ inputs: { x: flat }, attrs, backend })
    if (current !== x) backend.disposeData(current.dataId)
    shape[axis] += before + after
    current = padded
  }
  if (current === x) {
    current = runTypedKernel('Identity', 'webgpu', { inputs: { x }, attrs: {}, backend })
  }
  return { ...current, shape }
}
