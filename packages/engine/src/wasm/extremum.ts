import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { replaceWasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports } from './wasm-module.js'

/** Replaces Maximum and Minimum of the WASM backend, so that the result is NaN where either number is: the stock kernels take the
 * first of the two where the second is NaN. */
export function registerWasmExtrema(): void {
  for (const name of ['Maximum', 'Minimum']) {
    replaceWasmKernel<'a' | 'b', unknown>(name, (stock) => (args) => {
      const { inputs, backend } = args
      if (inputs.a.dtype !== 'float32' || inputs.b.dtype !== 'float32') return stock(args)
      return extremum(backend, inputs.a, inputs.b, name === 'Maximum')
    })
  }
}

/** An axis of the result, and how far apart its numbers lie in both operands: 0 along which one is repeated. */
interface Axis {
  size: number
  a: number
  b: number
}

function extremum(backend: BackendWasm, a: TensorInfo, b: TensorInfo, larger: boolean): TensorInfo {
  const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape)
  const result = backend.makeOutput(shape, 'float32')
  if (util.sizeFromShape(shape) === 0) return result
  const axes = mergedAxes(shape, a.shape, b.shape)
  const columns = axes.pop() ?? { size: 1, a: 0, b: 0 }
  const rows = axes.pop() ?? { size: 1, a: 0, b: 0 }
  let to = addressOf(backend, result)
  const run = wasmExports(backend).extremum
  const numbers = [4 * rows.b, 4 * columns.b, Number(larger)]
  const each = (axis: number, from: number, other: number): void => {
    if (axis === axes.length) {
      run(rows.size, columns.size, from, 4 * rows.a, 4 * columns.a, other, ...numbers, to)
      to += 4 * rows.size * columns.size
      return
    }
    const { size, a: step, b: otherStep } = axes[axis]
    for (let i = 0; i < size; i++) each(axis + 1, from + 4 * i * step, other + 4 * i * otherStep)
  }
  each(0, addressOf(backend, a), addressOf(backend, b))
  return result
}

/** The axes of a broadcast result, as few as there can be. */
function mergedAxes(shape: number[], a: number[], b: number[]): Axis[] {
  const [aSteps, bSteps] = [stepsOf(a, shape), stepsOf(b, shape)]
  const axes: Axis[] = []
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue
    const axis = { size, a: aSteps[i], b: bSteps[i] }
    const last = axes.at(-1)
    if (last && last.a === axis.a * size && last.b === axis.b * size) {
      axes[axes.length - 1] = { ...axis, size: last.size * size }
    } else {
      axes.push(axis)
    }
  }
  return axes
}

/** Numbers from one to the next along each axis of the result. */
function stepsOf(own: number[], shape: number[]): number[] {
  let step = 1
  return shape
    .map((_, i) => own[i - (shape.length - own.length)] ?? 1)
    .toReversed()
    .map((size) => {
      const current = size === 1 ? 0 : step
      step *= size
      return current
    })
    .toReversed()
}
