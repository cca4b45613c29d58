import type { GpuBackend } from '@facekit/kernels'
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelArguments, type KernelInputs } from '../tfjs/typed-kernel.js'
import type { Reduction } from './reduce-programs.js'
import { reduceOnGpu } from './reduce.js'
import { reductionSteps } from '../gradients/reduction-steps.js'

interface Attributes {
  axis?: number | number[]
  /** Max has its own name for it. */
  reductionIndices?: number | number[]
  keepDims?: boolean
}

type Arguments = KernelArguments<KernelInputs<'x'>, Attributes>

/** Replaces Sum, Mean, Prod, Max and Min of the WebGPU backend.
 *
 * The stock kernels transpose unless the reduced axes come last, and give each result to one workgroup. */
export function registerGpuReductions(): void {
  replace('Sum', 'sum')
  replace('Mean', 'sum')
  replace('Prod', 'prod')
  replace('Max', 'max')
  replace('Min', 'min')
}

function replace(name: string, reduction: Reduction): void {
  replaceTypedKernel<KernelInputs<'x'>, Attributes>(
    name,
    'webgpu',
    () => (args) => reduce(args, reduction, name === 'Mean'),
  )
}

function reduce(
  { inputs: { x }, attrs, backend }: Arguments,
  reduction: Reduction,
  mean: boolean,
): TensorInfo {
  const axes = util.parseAxisParam(attrs.axis ?? attrs.reductionIndices ?? null!, x.shape)
  const dtype = mean || x.dtype === 'float32' ? 'float32' : 'int32'
  const [shape] = backend_util.computeOutAndReduceShapes(x.shape, axes)
  const outShape = attrs.keepDims ? backend_util.expandShapeToKeepDim(shape, axes) : shape
  if (util.sizeFromShape(x.shape) === 0) {
    const values = util.makeZerosTypedArray(util.sizeFromShape(outShape), dtype)
    values.fill(mean ? NaN : NOTHING[reduction])
    return (backend as GpuBackend & Filling).makeTensorInfo(outShape, dtype, values)
  }
  const divisor = mean ? axes.reduce((product, axis) => product * x.shape[axis], 1) : 1
  const steps = reductionSteps(x.shape, axes)
  let current = x
  for (const [i, step] of steps.entries()) {
    const next = reduceOnGpu(backend, current, step, reduction, dtype, i === steps.length - 1 ? divisor : 1)
    if (current !== x) backend.disposeData(current.dataId)
    current = next
  }
  return { ...current, shape: outShape }
}

interface Filling {
  makeTensorInfo(
    shape: number[],
    dtype: string,
    values: ReturnType<typeof util.makeZerosTypedArray>,
  ): TensorInfo
}

/** What is left of no numbers. */
const NOTHING = { sum: 0, prod: 1, max: -Infinity, min: Infinity }
