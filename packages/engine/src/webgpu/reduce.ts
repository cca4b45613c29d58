import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { ENOUGH_GROUPS, loadWidth, powerOfTwo, THREADS, tileColumns } from './columns.js'
import { columnProgram, rowProgram, threadProgram, type Reduction } from './reduce-programs.js'
import type { ReducedShape } from '../gradients/reduction-steps.js'

/** Up to this many numbers a single thread reduces. */
const FEW = 32

/** Reduces the middle axis of `[outer, size, inner]`, none of them 0, on the GPU.
 *
 * Sums are hierarchical: a thread adds some dozen numbers, then threads, then workgroups are added up as trees, which keeps
 * the error near that of one rounding. NaN wins over everything in `max` and `min`.
 *
 * @param divisor - float32 results are divided by it
 * @returns `[outer, inner]`, of the type `dtype`
 */
export function reduceOnGpu(
  backend: KernelBackend,
  x: TensorInfo,
  { outer, size, inner }: ReducedShape,
  reduction: Reduction,
  dtype: 'float32' | 'int32',
  divisor = 1,
): TensorInfo {
  if (size <= FEW && (inner > 1 || outer >= 1024)) {
    return reduceByThread(backend, x, { outer, size, inner }, reduction, dtype, divisor)
  }
  const run = inner === 1 ? reduceRows : reduceColumns
  return run(backend, x, { outer, size, inner }, reduction, dtype, divisor)
}

type Step = (
  backend: KernelBackend,
  x: TensorInfo,
  shape: ReducedShape,
  reduction: Reduction,
  dtype: 'float32' | 'int32',
  divisor: number,
) => TensorInfo

/** One thread for each result. */
const reduceByThread: Step = (backend, x, { outer, size, inner }, reduction, dtype, divisor) => {
  const load = loadWidth(inner)
  const columns = inner / load
  const result = makeGpuTensor(backend, [outer, inner], dtype)
  runGpuProgram(backend, threadProgram(reduction, dtype, load), {
    inputs: [x],
    outputs: [result],
    uniforms: [outer * columns, size, columns, divisor],
    workgroups: workgroupsFor(outer * columns, 64),
  })
  return result
}

/** Neighbouring threads for neighbouring numbers of a row; several workgroups for a long row. */
const reduceRows: Step = (backend, x, { outer, size }, reduction, dtype, divisor) => {
  const load = loadWidth(size)
  const length = size / load
  const wanted = Math.ceil(ENOUGH_GROUPS / outer)
  const chunkLength = Math.ceil(length / Math.max(1, Math.min(wanted, Math.ceil(length / (THREADS * 4)))))
  const chunks = Math.ceil(length / chunkLength)
  const lanes = Math.min(THREADS, powerOfTwo(chunkLength / 4))
  const threads = Math.max(64, lanes)
  const last = chunks === 1
  const result = makeGpuTensor(backend, last ? [outer, 1] : [outer, chunks], dtype)
  runGpuProgram(backend, rowProgram(reduction, dtype, load, lanes), {
    inputs: [x],
    outputs: [result],
    uniforms: [outer * chunks, length, chunks, chunkLength, last ? divisor : 1],
    workgroups: workgroupsFor(outer * chunks * lanes, threads),
  })
  if (last) return result
  const total = reduceRows(backend, result, { outer, size: chunks, inner: 1 }, reduction, dtype, divisor)
  backend.disposeData(result.dataId)
  return total
}

/** Tiles of columns; see `columns.ts`. */
const reduceColumns: Step = (backend, x, { outer, size, inner }, reduction, dtype, divisor) => {
  const load = loadWidth(inner)
  const columns = inner / load
  const { threads, width, tiles, chunks, chunkRows } = tileColumns(size, columns, outer)
  const last = chunks === 1
  const result = makeGpuTensor(backend, [outer, chunks, inner], dtype)
  runGpuProgram(backend, columnProgram(reduction, dtype, load, threads, width), {
    inputs: [x],
    outputs: [result],
    uniforms: [tiles, chunks, outer, size, columns, chunkRows, last ? divisor : 1],
    workgroups: workgroupsFor(tiles * chunks * outer, 1),
  })
  if (last) return result
  const total = reduceColumns(backend, result, { outer, size: chunks, inner }, reduction, dtype, divisor)
  backend.disposeData(result.dataId)
  return total
}
