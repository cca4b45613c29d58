import { gpuMemoryType } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'

/* Contributor notes
 *
 * Many kernels of training read a matrix `[rows, columns]`, rows one after the other in memory, and want one number for each column:
 * sums over all but the last axis, the statistics of batch normalisation, its gradients. The stock way transposes and then gives each
 * column to one workgroup. Here a workgroup of 256 threads takes a tile of columns, up to 32 loads wide, so that neighbouring threads read
 * neighbouring memory; the rest of its threads share out the rows, and so do several workgroups (`chunks`), whose results a second,
 * small kernel puts together. Everything is added in an order that depends on the shape only: results are the same each time.
 */

/** Threads of a workgroup; 256 is what every device allows. */
export const THREADS = 256
/** The same where there is little to do: software adapters take their time for each thread that waits at a barrier. */
const FEW_THREADS = 64

/** Workgroups that keep a large GPU busy. */
export const ENOUGH_GROUPS = 1024

/** How a matrix is shared out. */
export interface ColumnTiling {
  /** Threads of a workgroup. */
  threads: number
  /** Threads side by side, a power of two, and rows that a workgroup reads at a time. */
  width: number
  height: number
  /** Workgroups side by side. */
  tiles: number
  /** Workgroups one under the other, and the rows of each; the last one may have fewer. */
  chunks: number
  chunkRows: number
}

/** Chooses how workgroups share out a matrix.
 *
 * @param columns - in units of one load (a number, or a vector of four)
 * @param batches - matrices that are worked on at the same time
 */
export function tileColumns(rows: number, columns: number, batches = 1): ColumnTiling {
  let width = Math.min(32, powerOfTwo(columns))
  const few = rows <= MOST_CHUNKS
  // A second pass over the results of the first, or little to do: rather more workgroups than longer reads.
  if (few) while (width > 4 && Math.ceil(columns / width) * batches < 128) width /= 2
  const threads = rows * columns <= 4096 ? FEW_THREADS : THREADS
  let height = Math.max(1, threads / width)
  // No more threads in line than have two rows to read.
  while (height > 1 && height * 2 > rows) height /= 2
  width = threads / height
  const tiles = Math.ceil(columns / width)
  const wanted = Math.ceil(ENOUGH_GROUPS / Math.max(1, tiles * batches))
  // Four rows a thread at least.
  const useful = few ? 1 : Math.ceil(rows / (height * 4))
  const chunkRows = Math.max(1, Math.ceil(rows / Math.max(1, Math.min(wanted, useful, MOST_CHUNKS))))
  return { threads, width, height, tiles, chunks: Math.max(1, Math.ceil(rows / chunkRows)), chunkRows }
}

/** Workgroups one under the other at most; so many rows, or fewer, one workgroup reads. */
const MOST_CHUNKS = 512

/** Shares out the merging of what the chunks of a first pass gave, one number at a time. */
export function tileMerge(chunks: number): { threads: number; height: number } {
  return { threads: chunks > 4 ? THREADS : FEW_THREADS, height: Math.min(32, powerOfTwo(chunks / 2)) }
}

/** The smallest power of two that is not less than `n`. */
export const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)))

/** Floats in one load: four where rows allow it. */
export const loadWidth = (columns: number): 1 | 4 => (columns % 4 === 0 && columns > 0 ? 4 : 1)

/** Name of the WGSL type of one load. */
export const vectorType = (load: 1 | 4, scalar = 'f32'): string => (load === 4 ? `vec4<${scalar}>` : scalar)

/** How a program reads and writes numbers that lie in memory as halves, or as they are. */
export interface Storage {
  /** Of the binding's elements. */
  type: string
  /** WGSL: an element as numbers of `vectorType`. */
  read(element: string): string
  /** WGSL: numbers as an element. */
  write(value: string): string
}

/** @param half - numbers lie in memory as halves; loads are of four then */
export const storage = (load: 1 | 4, half: boolean): Storage =>
  half
    ? { type: 'half4', read: (element) => `widen4(${element})`, write: (value) => `narrow4(${value})` }
    : { type: vectorType(load), read: (element) => element, write: (value) => value }

/** Whether a tensor's numbers lie in memory as halves, and can be read four channels at a time. */
export const isHalf = (backend: KernelBackend, tensor: TensorInfo): boolean =>
  gpuMemoryType(backend, tensor) === 'float16' && (tensor.shape.at(-1) ?? 1) % 4 === 0

/** Where the results of a kernel lie in memory that makes of halves halves. */
export const likeMemory = (backend: KernelBackend, tensor: TensorInfo): 'float32' | 'float16' =>
  isHalf(backend, tensor) ? 'float16' : 'float32'

/** Parameters of `main` that give `group` and `local` in one dimension, and the line that makes `group`. */
export const GROUP_PARAMETERS = /* wgsl */ `@builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) local: u32`
export const GROUP = 'let group = workgroup.y * workgroups.x + workgroup.x;'

/** A tensor as rows of channels. */
export function matrix({ shape }: TensorInfo): { rows: number; channels: number } {
  const channels = shape[shape.length - 1]
  return { rows: channels === 0 ? 0 : util.sizeFromShape(shape) / channels, channels }
}

/** Rows that a thread reads before it works on the first of them: so that it waits once for all of them. */
const AHEAD = 4

/** WGSL: goes through rows from `begin` to `end` in steps, several at a time.
 *
 * @param loads - reads what is needed of row `i` into constants whose names end in `k`
 * @param body - works on them
 */
export function forEachRow(
  begin: string,
  end: string,
  step: number,
  loads: (i: string, k: number) => string,
  body: (k: number) => string,
): string {
  const all = Array.from({ length: AHEAD }, (_, k) => k)
  return /* wgsl */ `
    var i = ${begin};
    for (; i + ${(AHEAD - 1) * step}u < ${end}; i += ${AHEAD * step}u) {
      ${all.map((k) => loads(`(i + ${k * step}u)`, k)).join('\n')}
      ${all.map(body).join('\n')}
    }
    for (; i < ${end}; i += ${step}u) {
      ${loads('i', 0)}
      ${body(0)}
    }`
}
