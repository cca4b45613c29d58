import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'

/* Contributor notes
 *
 * The programs in the files gpu-*.ts are WGSL, run through `runWebGPUProgram` of @tensorflow/tfjs-backend-webgpu 4.22. What it
 * does for us: uploads, buffers, pipelines kept by `shaderKey`, and command buffers. What it asks for:
 *
 * - One output, binding 0, named `result`; with `atomic` it is `array<atomic<i32>>`. Inputs are read-only. So a kernel of many
 *   outputs is many programs, and what several passes write lies in one buffer.
 * - Every input and the uniforms must be used by the code that runs, because bind group layouts are derived from it.
 * - A recycled buffer holds old numbers: fill it first.
 * - A float32 tensor may lie in memory as int32: tfjs casts from int32 or bool without touching the data, and declares what it
 *   finds. So every float that is read is wrapped in f32(...) or vec4<f32>(...).
 * - Inputs are handed over flat, of rank 1, so that the declarations that tfjs derives from shapes stay short and one pipeline
 *   serves all sizes. Everything that varies is a uniform.
 */

/** What is used of tfjs' `WebGPUBackend`. */
interface ProgramBackend extends KernelBackend {
  makeTensorInfo(shape: number[], dtype: 'float32' | 'int32'): TensorInfo
  runWebGPUProgram(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32' | 'int32',
    uniforms: { type: 'int32'; data: number[] }[],
    output: TensorInfo,
  ): TensorInfo
}

/** A compute program. */
export interface GpuProgram {
  /** Unique among all programs: pipelines are found by it. */
  name: string
  /** Names of the inputs: arrays of f32 or i32, or of `vec4<f32>` with a `*` behind the name. */
  inputs: readonly string[]
  /** Names of the uniforms, all i32; `uniforms.threads` comes by itself. */
  uniforms: readonly string[]
  /** Whether `result` is `array<atomic<i32>>`. */
  atomic?: boolean
  /** WGSL with `fn main(index : i32)`, called for at least `threads` indices. */
  code: string
}

/** Invocations in a workgroup of every program. */
export const GROUP_SIZE = 64

const flat = ({ dataId, shape, dtype }: TensorInfo): TensorInfo => ({
  dataId,
  shape: [util.sizeFromShape(shape)],
  dtype,
})

/** Makes a tensor of unknown contents. */
export const makeOutput = (backend: KernelBackend, shape: number[], dtype: 'float32' | 'int32'): TensorInfo =>
  (backend as ProgramBackend).makeTensorInfo(shape, dtype)

/** Runs a program on `threads` invocations (rounded up to whole workgroups), and returns `output`.
 *
 * Empty outputs are left alone, and an empty input is replaced by one that is not, since no buffer can be empty.
 */
export function runProgram(
  backend: KernelBackend,
  program: GpuProgram,
  inputs: readonly TensorInfo[],
  uniforms: readonly number[],
  threads: number,
  output: TensorInfo,
): TensorInfo {
  const { name, code, atomic } = program
  const gpu = backend as ProgramBackend
  const operands = inputs.map((input) => {
    const operand = flat(input)
    return operand.shape[0] > 0 ? operand : makeOutput(backend, [4], input.dtype as 'float32' | 'int32')
  })
  gpu.runWebGPUProgram(
    {
      variableNames: program.inputs.map((input) => input.replace('*', '')),
      variableComponents: program.inputs.map((input) => (input.endsWith('*') ? 4 : 1)),
      uniforms: ['threads', ...program.uniforms].map((uniform) => `${uniform} : i32, `).join(''),
      workgroupSize: [GROUP_SIZE, 1, 1],
      dispatch: [Math.max(1, Math.ceil(threads / GROUP_SIZE)), 1, 1],
      dispatchLayout: { x: [0] },
      outputShape: [util.sizeFromShape(output.shape)],
      shaderKey: name,
      // Its name is what errors and profiles call the program.
      constructor: { name },
      atomic,
      getUserCode: () => code,
    },
    operands,
    output.dtype as 'float32' | 'int32',
    [threads, ...uniforms].map((value) => ({ type: 'int32' as const, data: [value] })),
    flat(output),
  )
  operands.forEach((operand, i) => {
    if (operand.dataId !== inputs[i].dataId) backend.disposeData(operand.dataId)
  })
  return output
}

const fillProgram: GpuProgram = {
  name: 'facekit_fill',
  inputs: [],
  uniforms: ['value', 'start'],
  atomic: true,
  code: /* wgsl */ `
    fn main(index : i32) {
      if (index < uniforms.threads) { atomicStore(&result[uniforms.start + index], uniforms.value); }
    }`,
}

/** Sets `count` numbers of an int32 tensor from `start` on. */
export const fillIntegers = (
  backend: KernelBackend,
  output: TensorInfo,
  value: number,
  start: number,
  count: number,
): TensorInfo => runProgram(backend, fillProgram, [], [value, start], count, output)
