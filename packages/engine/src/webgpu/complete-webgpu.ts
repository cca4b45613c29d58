import {
  getKernel,
  registerKernel,
  unregisterKernel,
  util,
  type KernelBackend,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { registerGpuConvolutions } from './conv/conv-kernels.js'
import { registerGpuBatchNorm } from '../layers/fused-batch-norm.js'
import { registerGpuCopies } from './copy-kernels.js'
import { registerGpuPools } from './pool/pool.js'
import { registerGpuUnaries } from './unary.js'
import { registerGpuPoolGradients } from './pool/pool-gradient.js'
import { registerGpuReductions } from './reduction-kernels.js'
import { castToFloat } from './cast.js'
import { trigonometricKernel } from './trigonometry.js'

let complete = false

/** Replaces kernels of the WebGPU backend that fail silently: sums of many tensors, padding above four axes, and sines and
 * cosines that are right to three digits only. Does nothing the second time. The package `@tensorflow/tfjs-backend-webgpu` must have been imported. */
export function completeWebgpu(device: GPUDevice): void {
  if (complete) return
  complete = true
  // One storage buffer is the result.
  const operands = Math.max(2, device.limits.maxStorageBuffersPerShaderStage - 1)
  replace('AddN', (stock) => (args) => addInGroups(stock, args, operands))
  replace('PadV2', (stock) => (args) => padAxisByAxis(stock, args))
  replace('Cast', (stock) => (args) => {
    const { x } = args.inputs as Record<string, TensorInfo>
    const integers = x.dtype === 'int32' || x.dtype === 'bool'
    const { dtype } = args.attrs as { dtype: string }
    return integers && dtype === 'float32' ? castToFloat(args.backend, x) : stock(args)
  })
  registerGpuConvolutions()
  registerGpuReductions()
  registerGpuPools()
  registerGpuPoolGradients()
  registerGpuUnaries()
  registerGpuCopies()
  registerGpuBatchNorm()
  replace('Sin', () => trigonometricKernel(0) as Kernel)
  replace('Cos', () => trigonometricKernel(1) as Kernel)
}

interface Arguments {
  inputs: Record<string, TensorInfo> | TensorInfo[]
  attrs: unknown
  backend: KernelBackend
}

type Kernel = (args: Arguments) => TensorInfo

function replace(name: string, kernel: (stock: Kernel) => Kernel): void {
  const stock: KernelConfig = getKernel(name, 'webgpu')
  unregisterKernel(name, 'webgpu')
  const own = kernel(stock.kernelFunc as unknown as Kernel)
  registerKernel({ ...stock, kernelFunc: own as unknown as KernelFunc })
}

/** AddN binds one storage buffer for each operand, and a GPU has few: the stock kernel's pipeline is invalid above that. */
function addInGroups(stock: Kernel, { inputs, attrs, backend }: Arguments, operands: number): TensorInfo {
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
function padAxisByAxis(stock: Kernel, args: Arguments): TensorInfo {
  const { x } = args.inputs as Record<string, TensorInfo>
  if (x.shape.length <= 4) return stock(args)
  const { backend } = args
  const { paddings, constantValue } = args.attrs as { paddings: [number, number][]; constantValue: number }
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
    const attrs = {
      paddings: [
        [0, 0],
        [before, after],
        [0, 0],
      ],
      constantValue,
    } as unknown as NamedAttrMap
    const padded = stock({ inputs: { x: flat }, attrs, backend })
    if (current !== x) backend.disposeData(current.dataId)
    shape[axis] += before + after
    current = padded
  }
  if (current === x) {
    const identity = getKernel('Identity', 'webgpu').kernelFunc as unknown as Kernel
    current = identity({ inputs: { x }, attrs: {}, backend })
  }
  return { ...current, shape }
}
