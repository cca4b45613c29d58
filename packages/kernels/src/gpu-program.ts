import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuBackend, GpuCommand } from './gpu-backend.js'
import { encodeCommand } from './gpu-command.js'

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
  /** Read-only arrays, `"name: element type"`, e.g. `"x: vec4<f32>"`; bound in this order. */
  inputs: readonly string[]
  /** Arrays that are written, and may be read, in the same form; `"hits: atomic<u32>"` too. */
  outputs: readonly string[]
  /** Scalars, `"size: u32"`, read as `uniforms.size`. */
  uniforms?: readonly string[]
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

/** A tensor on the GPU, of unknown contents.
 *
 * @memory the caller disposes of its data, or returns it from a kernel
 */
export const makeGpuTensor = (
  backend: KernelBackend,
  shape: number[],
  dtype: 'float32' | 'int32',
): TensorInfo => {
  // No program writes an empty one, but it can be read.
  const values = util.sizeFromShape(shape) === 0 ? new Float32Array(0) : undefined
  return (backend as GpuBackend).makeTensorInfo(shape, dtype, values)
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
    gpu.tensorMap.get(output.dataId).values = null
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
    ...(uniforms.length > 0 && { uniforms: uniformBytes(program.uniforms ?? [], uniforms) }),
  }
  if (gpu.encode) gpu.encode(command)
  else encodeCommand(gpu, command)
  for (const { dataId } of made) backend.disposeData(dataId)
}

const elementType = (declaration: string) => declaration.slice(declaration.indexOf(':') + 1).trim()
const isFloat = (type: string) => /f32/.test(type)

/** The tensor as the program declares it: converted if tfjs' memory holds the other type, and never empty. */
function stored(gpu: GpuBackend, input: TensorInfo | undefined, type: string): TensorInfo {
  const size = input === undefined ? 0 : util.sizeFromShape(input.shape)
  if (input === undefined || size === 0) return gpu.makeTensorInfo([4], isFloat(type) ? 'float32' : 'int32')
  const floats = gpu.tensorMap.get(input.dataId).dtype === 'float32'
  if (floats === isFloat(type)) return input
  const result = gpu.makeTensorInfo(input.shape, floats ? 'int32' : 'float32')
  runGpuProgram(gpu, floats ? toIntegers : toFloats, {
    // Of the type that is in memory, so that this ends here.
    inputs: [{ ...input, dtype: floats ? 'float32' : 'int32' }],
    outputs: [result],
    uniforms: [size],
    workgroups: workgroupsFor(size, 64),
  })
  return result
}

const conversion = (from: string, to: string): GpuProgram => ({
  name: `facekit_${from}_to_${to}`,
  inputs: [`x: ${from}`],
  outputs: [`result: ${to}`],
  uniforms: ['size: u32'],
  code: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let index = (group.y * groups.x + group.x) * 64u + local;
      if (index < uniforms.size) { result[index] = ${to}(x[index]); }
    }`,
})
const toFloats = conversion('i32', 'f32')
const toIntegers = conversion('f32', 'i32')

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

function compile(device: GPUDevice, program: GpuProgram): Compiled {
  let known = compiled.get(device)
  if (known === undefined) compiled.set(device, (known = new Map<string, Compiled>()))
  let entry = known.get(program.name)
  if (entry === undefined) {
    entry = build(device, program)
    known.set(program.name, entry)
  }
  return entry
}

function build(device: GPUDevice, { name, inputs, outputs, uniforms = [], code }: GpuProgram): Compiled {
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
  const source = `${lines.join('\n')}\n${typeof code === 'function' ? code() : code}`
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({ label: name, bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label: name, code: source }), entryPoint: 'main' },
  })
  return { pipeline, layout }
}
