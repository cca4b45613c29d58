import type { GpuBackend } from '@facekit/core'
import {
  backend_util,
  getKernel,
  registerKernel,
  unregisterKernel,
  util,
  type KernelBackend,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { reduceOnGpu, type ReducedShape, type Reduction } from './gpu-reduce.js'

interface Attributes {
  axis?: number | number[]
  /** Max has its own name for it. */
  reductionIndices?: number | number[]
  keepDims?: boolean
}

interface Arguments {
  inputs: { x: TensorInfo }
  attrs: Attributes
  backend: KernelBackend
}

type Kernel = (args: Arguments) => TensorInfo

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
  const stock: KernelConfig = getKernel(name, 'webgpu')
  unregisterKernel(name, 'webgpu')
  const kernel: Kernel = (args) => reduce(args, reduction, name === 'Mean')
  registerKernel({ ...stock, kernelFunc: kernel as unknown as KernelFunc })
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

/** Runs of neighbouring axes that are reduced, one after the other, each as `[outer, size, inner]`. The one that
 * leaves least comes first. */
export function reductionSteps(shape: readonly number[], axes: readonly number[]): ReducedShape[] {
  const runs: { size: number; reduced: boolean }[] = []
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue
    const reduced = axes.includes(axis)
    const last = runs.at(-1)
    if (last?.reduced === reduced) last.size *= size
    else runs.push({ size, reduced })
  }
  const steps: ReducedShape[] = []
  for (;;) {
    const sizes = runs.map((run) => (run.reduced ? run.size : 0))
    const size = Math.max(0, ...sizes)
    if (size === 0) break
    const at = sizes.indexOf(size)
    const product = (part: typeof runs) => part.reduce((n, run) => n * run.size, 1)
    steps.push({ outer: product(runs.slice(0, at)), size, inner: product(runs.slice(at + 1)) })
    runs[at] = { size: 1, reduced: false }
  }
  // Nothing to reduce: still a result of its own, and of the right type.
  if (steps.length === 0) steps.push({ outer: util.sizeFromShape([...shape]), size: 1, inner: 1 })
  return steps
}
