import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { reductionSteps, type ReducedShape } from '../gradients/reduction-steps.js'
import { replaceWasmKernel, runWasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports, withScratch } from './wasm-module.js'

/* Contributor notes
 *
 * The stock kernels add up in one running float32 sum: from 2^24 numbers of 1 on nothing is added any more, and the mean of 0.7 over
 * 2048 x 2048 x 3 numbers is 0.606. Where the summed axes come first they transpose before that. Ours add a few dozen numbers in float32,
 * those sums in float64.
 */

interface Attributes {
  axis?: number | number[]
  keepDims?: boolean
}

/** Replaces Sum and Mean of float32 of the WASM backend, and Mean of integers. */
export function registerWasmSums(): void {
  for (const name of ['Sum', 'Mean']) {
    replaceWasmKernel<'x', Attributes>(name, (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const { x } = inputs
      if (x.dtype === 'float32') return reduce(backend, x, attrs, name === 'Mean')
      if (name === 'Sum') return stock(args)
      const numbers = runWasmKernel(backend, 'Cast', { x }, { dtype: 'float32' })
      const result = reduce(backend, numbers, attrs, true)
      backend.disposeData(numbers.dataId)
      return result
    })
  }
}

function reduce(
  backend: BackendWasm,
  x: TensorInfo,
  { axis, keepDims }: Attributes,
  mean: boolean,
): TensorInfo {
  const axes = util.parseAxisParam(axis ?? [...x.shape.keys()], x.shape)
  const [reduced, summed] = backend_util.computeOutAndReduceShapes(x.shape, axes)
  const shape = keepDims ? backend_util.expandShapeToKeepDim(reduced, axes) : reduced
  if (util.sizeFromShape(x.shape) === 0) {
    const nothing = backend.makeOutput(shape, 'float32')
    backend.typedArrayFromHeap(nothing).fill(mean ? Number.NaN : 0)
    return nothing
  }
  const factor = mean ? 1 / util.sizeFromShape(summed) : 1
  const steps = reductionSteps(x.shape, axes)
  let current = x
  for (const [i, step] of steps.entries()) {
    const next = sums(backend, current, step, i === steps.length - 1 ? factor : 1)
    if (current !== x) backend.disposeData(current.dataId)
    current = next
  }
  return { ...current, shape }
}

/** `[outer, size, inner]` to `[outer, inner]`. */
function sums(
  backend: BackendWasm,
  x: TensorInfo,
  { outer, size, inner }: ReducedShape,
  factor: number,
): TensorInfo {
  const out = backend.makeOutput([outer, inner], 'float32')
  const { columnSums, rowSums } = wasmExports(backend)
  if (inner === 1) {
    rowSums(addressOf(backend, x), outer, size, factor, addressOf(backend, out))
    return out
  }
  withScratch(backend, inner * 8, (scratch) => {
    const [from, to] = [x, out].map((tensor) => addressOf(backend, tensor))
    for (let i = 0; i < outer; i++) {
      columnSums(from + 4 * i * size * inner, size, inner, factor, to + 4 * i * inner, scratch)
    }
  })
  return out
}
