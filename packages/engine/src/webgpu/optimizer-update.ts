import {
  type GpuBackend,
  type GpuProgram,
  refreshHalves,
  runGpuProgram,
  workgroupsFor,
} from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { GROUP, GROUP_PARAMETERS } from './columns.js'

/** A rule by which an optimiser changes each number of a variable. */
export interface UpdateRule {
  /** Unique: programs are kept by it. */
  name: string
  /** State tensors of each variable, of its shape, e.g. `['m', 'v']`. */
  state: readonly string[]
  /** Numbers that are frozen when a step is recorded, `uniforms.beta1`. */
  constants: readonly string[]
  /** WGSL that changes `value` and the state, given `gradient` and `settings[...]`, all of type `T`, a float or a vector of four. */
  code: string
}

/** One variable on the GPU: updated in place. */
export interface GpuVariableUpdate {
  value: TensorInfo
  gradient: TensorInfo
  /** One for each of the rule's. */
  state: readonly TensorInfo[]
}

/** Updates all variables, several in a dispatch, as many as the device can bind.
 *
 * @param gate - of loss scaling: where its last number is 0, nothing is changed
 * @param settings - `[4]`, numbers that may change between steps, read from GPU memory: so a step that was recorded can be replayed
 */
export function updateOnGpu(
  backend: KernelBackend,
  rule: UpdateRule,
  settings: TensorInfo,
  constants: readonly number[],
  updates: readonly GpuVariableUpdate[],
  gate?: TensorInfo,
): void {
  const { limits } = (backend as GpuBackend).device
  const perDispatch = Math.max(
    1,
    Math.floor((limits.maxStorageBuffersPerShaderStage - (gate ? 2 : 1)) / (rule.state.length + 2)),
  )
  // Alike sizes together: the small ones, of which there are many, share their dispatches.
  const sized = updates
    .map((update) => ({ ...update, size: util.sizeFromShape(update.value.shape) }))
    .filter(({ size }) => size > 0)
    .toSorted((a, b) => b.size - a.size)
  for (let start = 0; start < sized.length; start += perDispatch) {
    const group = sized.slice(start, start + perDispatch)
    const loads = group.map(({ size }): 1 | 4 => (size % 4 === 0 ? 4 : 1))
    const counts = group.map(({ size }, i) => size / loads[i])
    const ends = counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, n) => sum + n, 0))
    runGpuProgram(backend, updateProgram(rule, loads, gate !== undefined), {
      inputs: [settings, ...(gate ? [gate] : []), ...group.map(({ gradient }) => gradient)],
      outputs: group.flatMap(({ value, state }) => [value, ...state]),
      uniforms: [...ends, ...constants],
      workgroups: workgroupsFor(ends[ends.length - 1], 256),
    })
  }
  refreshHalves(
    backend,
    sized.map(({ value }) => value),
  )
}

function updateProgram(
  { name, state, constants, code }: UpdateRule,
  loads: readonly (1 | 4)[],
  gated: boolean,
): GpuProgram {
  const type = (load: 1 | 4) => (load === 4 ? 'vec4<f32>' : 'f32')
  return {
    name: `facekit_${name}_${loads.join('')}${gated ? '_gated' : ''}`,
    inputs: [
      'settings: f32',
      ...(gated ? ['gate: f32'] : []),
      ...loads.map((load, i) => `gradient${i}: ${type(load)}`),
    ],
    outputs: loads.flatMap((load, i) =>
      ['value', ...state].map((variable) => `${variable}${i}: ${type(load)}`),
    ),
    uniforms: [...loads.map((_, i) => `end${i}: u32`), ...constants.map((constant) => `${constant}: f32`)],
    code: () => {
      const sections = loads.map(
        (load, i) => /* wgsl */ `
          if (index < uniforms.end${i}) {
            let at = index${i === 0 ? '' : ` - uniforms.end${i - 1}`};
            let gradient = gradient${i}[at];
            ${['value', ...state].map((variable) => `var ${variable} = ${variable}${i}[at];`).join(' ')}
            ${code.replaceAll(/\bT\b/g, type(load))}
            ${['value', ...state].map((variable) => `${variable}${i}[at] = ${variable};`).join(' ')}
            return;
          }`,
      )
      return /* wgsl */ `
        @compute @workgroup_size(256)
        fn main(${GROUP_PARAMETERS}) {
          ${GROUP}
          ${gated ? 'if (gate[3] == 0.0) { return; }' : ''}
          let index = group * 256u + local;
          ${sections.join('')}
        }`
    },
  }
}
