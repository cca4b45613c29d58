import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuBackend, GpuCommand } from './gpu-backend.js'
import { encodeCommand } from './gpu-command.js'
import { wgslHalves } from './wgsl-halves.js'
import { wgslMain } from './wgsl.js'

/* Contributor notes
 *
 * tfjs' own way to run WGSL (`runWebGPUProgram`) knows programs of one output, derives bind group layouts from the code, so that
 * an input that is not read fails, and declares types by what lies in memory: a float32 tensor that was cast from int32 without
 * touching the data comes as integers. Here a program declares what it binds, has any number of outputs, may update them in place, and finds
 * the types that it declared.
 */

/** A WGSL compute program with entry point `main`. */
export interface GpuProgram {
  /** Unique among all programs, specialisations included: pipelines are kept by it, and errors and profiles say it. */
  name: string
  /** Read-only arrays, `"name: element type"`, e.g. `"x: vec4<f32>"`; bound in this order. `"x: half4"` and `"x: half8"` are four and eight
   * numbers of 16 bits: see `wgslHalves`. */
  inputs: readonly string[]
  /** Arrays that are written, and may be read, in the same form; `"hits: atomic<u32>"` too. */
  outputs: readonly string[]
  /** Scalars, `"size: u32"`, read as `uniforms.size`. */
  uniforms?: readonly string[]
  /** Whether it sets what is kept: then a dry run runs it, too; see `compileAhead`. */
  keeps?: boolean
  /** Whether it brings up to date what is kept, and runs only where that is needed: a step that is recorded need not run it at each call. */
  refreshes?: boolean
  /** Extensions of WGSL that the code needs, as `enable` names them. */
  enables?: readonly string[]
  /** WGSL with `@compute @workgroup_size(...) fn main(...)`; the declarations above come by themselves. */
  code: string | (() => string)
}

/** What a program is run on. */
export interface GpuProgramArguments {
  /** One for each of the program's inputs; `undefined` for one that this run does not read. */
  inputs: readonly (TensorInfo | undefined)[]
  /** One for each of its outputs: from `makeGpuTensor`, of unknown contents, or a tensor that is updated in place. Never one of the inputs. */
  outputs: readonly TensorInfo[]
  /** One for each of its uniforms. */
  uniforms?: readonly number[]
  /** Workgroups along x, y, z; see `workgroupsFor`. */
  workgroups: readonly [number, number?, number?]
}

interface Compiled {
  pipeline: GPUComputePipeline
  layout: GPUBindGroupLayout
}

const compiled = new WeakMap<GPUDevice, Map<string, Compiled>>()

/** How the numbers of a tensor lie in the GPU's memory. */
export type GpuMemoryType = 'float32' | 'int32' | 'float16'

/** A tensor on the GPU, of unknown contents.
 *
 * With `'float16'` it is a float32 tensor to everybody but the programs that ask for halves: all others are given a widened copy. Only a
 * backend that says so (`storesHalves`) has them.
 *
 * @memory the caller disposes of its data, or returns it from a kernel
 */
export const makeGpuTensor = (backend: KernelBackend, shape: number[], type: GpuMemoryType): TensorInfo => {
  // No program writes an empty one, but it can be read.
  const values = util.sizeFromShape(shape) === 0 ? new Float32Array(0) : undefined
  const half = type === 'float16' && values === undefined
  const info = (backend as GpuBackend).makeTensorInfo(
    shape,
    half ? type : type === 'int32' ? type : 'float32',
    values,
  )
  return { ...info, dtype: type === 'int32' ? 'int32' : 'float32' }
}

/** How a tensor's numbers lie in memory: after a cast that moved nothing, or where they are kept as halves, not as its type says. */
export const gpuMemoryType = (backend: KernelBackend, { dataId }: TensorInfo): GpuMemoryType => {
  const { dtype } = (backend as GpuBackend).tensorMap.get(dataId)
  return dtype === 'float32' || dtype === 'float16' ? dtype : 'int32'
}

/** Workgroups for at least `threads` invocations, spread over x and y so that no limit is exceeded. The program's linear index is
 * `(workgroup_id.y * num_workgroups.x + workgroup_id.x) * size + local_invocation_index`. */
export function workgroupsFor(threads: number, size: number): [number, number, number] {
  const groups = Math.max(1, Math.ceil(threads / size))
  const rows = Math.ceil(groups / 65535)
  return [Math.ceil(groups / rows), rows, 1]
}

/** Runs a program on tfjs' WebGPU backend, after everything that was run there before.
 *
 * Does nothing when all of its outputs are empty.
 *
 * @param backend - as a kernel gets it from tfjs
 */
export function runGpuProgram(backend: KernelBackend, program: GpuProgram, args: GpuProgramArguments): void {
  const gpu = backend as GpuBackend
  const { inputs, outputs, uniforms = [], workgroups } = args
  if (outputs.every(({ shape }) => util.sizeFromShape(shape) === 0)) return
  const made: TensorInfo[] = []
  const data = inputs.map((input, i) => {
    const operand = stored(gpu, input, elementType(program.inputs[i]))
    if (operand !== input) made.push(operand)
    gpu.uploadToGPU(operand.dataId)
    return operand.dataId
  })
  for (const output of outputs) {
    gpu.uploadToGPU(output.dataId)
    // A copy on the CPU would be out of date.
    const stored = gpu.tensorMap.get(output.dataId)
    stored.values = null
    if (stored.halves) stored.halves.stale = true
    data.push(output.dataId)
  }
  const { pipeline, layout } = compile(gpu.device, program)
  const [x, y = 1, z = 1] = workgroups
  const command: GpuCommand = {
    name: program.name,
    pipeline,
    layout,
    data,
    workgroups: [x, y, z],
    ...(program.refreshes && { refreshes: true }),
    ...(uniforms.length > 0 && { uniforms: uniformBytes(program.uniforms ?? [], uniforms) }),
  }
  if (gpu.encode) gpu.encode(command)
  else encodeCommand(gpu, command)
  for (const { dataId } of made) backend.disposeData(dataId)
}

const elementType = (declaration: string) => declaration.slice(declaration.indexOf(':') + 1).trim()
const memoryType = (type: string): GpuMemoryType =>
  type.startsWith('half') ? 'float16' : /f32/.test(type) ? 'float32' : 'int32'

/** The tensor as the program declares it: converted if memory holds another type, and never empty. */
function stored(gpu: GpuBackend, input: TensorInfo | undefined, type: string): TensorInfo {
  const size = input === undefined ? 0 : util.sizeFromShape(input.shape)
  const wanted = memoryType(type)
  if (input === undefined || size === 0) return gpu.makeTensorInfo([8], wanted)
  return gpuMemoryType(gpu, input) === wanted ? input : convertGpuTensor(gpu, input, wanted)
}

/** A copy of a tensor whose numbers lie in memory as another type.
 *
 * @memory the caller disposes of its data
 */
export function convertGpuTensor(backend: KernelBackend, input: TensorInfo, type: GpuMemoryType): TensorInfo {
  const from = gpuMemoryType(backend, input)
  const program = conversions[`${from} to ${type}`]
  if (program === undefined) {
    const floats = convertGpuTensor(backend, input, 'float32')
    const result = convertGpuTensor(backend, floats, type)
    backend.disposeData(floats.dataId)
    return result
  }
  const size = util.sizeFromShape(input.shape)
  const result = makeGpuTensor(backend, input.shape, type)
  const each = program.uniforms?.[0] === 'quads: u32' ? 4 : 1
  const threads = Math.ceil(size / each)
  runGpuProgram(backend, program, {
    inputs: [input],
    outputs: [result],
    uniforms: [threads, size],
    workgroups: workgroupsFor(threads, 256),
  })
  return result
}

/** One number at a time. */
const conversion = (from: string, to: string): GpuProgram => ({
  name: `facekit_${from}_to_${to}`,
  inputs: [`x: ${from}`],
  outputs: [`result: ${to}`],
  uniforms: ['count: u32', 'size: u32'],
  code: wgslMain(`if (index < uniforms.size) { result[index] = ${to}(x[index]); }`, 256),
})

/** Four numbers at a time; what lies behind the last one is read and written, too: buffers are that large. */
const halfConversion = (from: string, to: string, code: string): GpuProgram => ({
  name: `facekit_${from.replace('<f32>', '')}_to_${to.replace('<f32>', '')}`,
  inputs: [`x: ${from}`],
  outputs: [`result: ${to}`],
  uniforms: ['quads: u32', 'size: u32'],
  code: wgslMain(`if (index < uniforms.quads) { result[index] = ${code}; }`, 256),
})

const conversions: Record<string, GpuProgram | undefined> = {
  'int32 to float32': conversion('i32', 'f32'),
  'float32 to int32': conversion('f32', 'i32'),
  'float32 to float16': halfConversion('vec4<f32>', 'half4', 'narrow4(x[index])'),
  'float16 to float32': halfConversion('half4', 'vec4<f32>', 'widen4(x[index])'),
}

function uniformBytes(declarations: readonly string[], values: readonly number[]): ArrayBuffer {
  const bytes = new ArrayBuffer(Math.ceil(values.length / 4) * 16)
  const view = new DataView(bytes)
  values.forEach((value, i) => {
    const type = elementType(declarations[i])
    if (type === 'f32') view.setFloat32(4 * i, value, true)
    else if (type === 'u32') view.setUint32(4 * i, value, true)
    else view.setInt32(4 * i, value, true)
  })
  return bytes
}

/** Programs that a dry run has asked for, by their names. */
let wanted: Map<string, { descriptor: GPUComputePipelineDescriptor; entry: Compiled }> | undefined

/** Compiles what a function will run on the GPU, all at the same time, where it would otherwise be compiled one by one when it is first run.
 *
 * The function is run once, and kernels of ours that are not compiled yet do nothing; all others compute from what these left. So its results are worth
 * nothing, and what it keeps must be changed by our own kernels only, as `tf.train.adam` and `batchNormalization` do on WebGPU: then nothing has changed
 * but for an optimiser's count of iterations.
 *
 * @returns the number of programs that were compiled
 */
export async function compileAhead(device: GPUDevice, run: () => void): Promise<number> {
  wanted = new Map()
  const found = wanted
  try {
    run()
  } finally {
    wanted = undefined
  }
  const known = programsOf(device)
  await Promise.all(
    [...found].map(async ([name, { descriptor, entry }]) => {
      try {
        known.set(name, { ...entry, pipeline: await device.createComputePipelineAsync(descriptor) })
      } catch {
        // Whoever runs it is told what is wrong.
      }
    }),
  )
  return found.size
}

function programsOf(device: GPUDevice): Map<string, Compiled> {
  let known = compiled.get(device)
  if (known === undefined) compiled.set(device, (known = new Map<string, Compiled>()))
  return known
}

function compile(device: GPUDevice, program: GpuProgram): Compiled {
  const known = programsOf(device)
  let entry = known.get(program.name) ?? wanted?.get(program.name)?.entry
  if (entry !== undefined) return entry
  const { descriptor, layout } = describe(device, program)
  if (wanted === undefined || program.keeps) {
    entry = { pipeline: device.createComputePipeline(descriptor), layout }
    known.set(program.name, entry)
  } else {
    const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' })
    const pipeline = device.createComputePipeline({ ...descriptor, compute: { module, entryPoint: 'main' } })
    entry = { pipeline, layout }
    wanted.set(program.name, { descriptor, entry })
  }
  return entry
}

function describe(
  device: GPUDevice,
  program: GpuProgram,
): { descriptor: GPUComputePipelineDescriptor; layout: GPUBindGroupLayout } {
  const { name, inputs, outputs, uniforms = [], enables = [], code } = program
  const lines: string[] = []
  const entries: GPUBindGroupLayoutEntry[] = []
  const bind = (type: GPUBufferBindingType, declaration: string) => {
    lines.push(`@group(0) @binding(${entries.length}) ${declaration};`)
    entries.push({ binding: entries.length, visibility: GPUShaderStage.COMPUTE, buffer: { type } })
  }
  const array = (declaration: string) =>
    `${declaration.slice(0, declaration.indexOf(':'))}: array<${elementType(declaration)}>`
  for (const input of inputs) bind('read-only-storage', `var<storage, read> ${array(input)}`)
  for (const output of outputs) bind('storage', `var<storage, read_write> ${array(output)}`)
  if (uniforms.length > 0) {
    lines.push(`struct Uniforms { ${uniforms.join(', ')} }`)
    bind('uniform', 'var<uniform> uniforms: Uniforms')
  }
  const layout = device.createBindGroupLayout({ label: name, entries })
  const source = [
    enables.length > 0 ? `enable ${enables.join(', ')};` : '',
    [...inputs, ...outputs].some((declaration) => elementType(declaration).startsWith('half'))
      ? wgslHalves
      : '',
    ...lines,
    typeof code === 'function' ? code() : code,
  ].join('\n')
  const descriptor: GPUComputePipelineDescriptor = {
    label: name,
    layout: device.createPipelineLayout({ label: name, bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label: name, code: source }), entryPoint: 'main' },
  }
  return { descriptor, layout }
}
