import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend, GpuLossScale } from './backend/engine-backend.js'
import { GROUP, GROUP_PARAMETERS, THREADS, vectorType } from './columns.js'

/** What losses are multiplied by at first, and at most. */
const FIRST_SCALE = 2 ** 16
const LARGEST_SCALE = 2 ** 24
/** Steps with finite gradients after which the scale is doubled. */
const PATIENCE = 2000

/** Numbers that a thread looks at, about. */
const PER_THREAD = 16

/** The state of dynamic loss scaling on a backend, made when it is first asked for. */
export function lossScaleOf(backend: GpuEngineBackend): GpuLossScale {
  if (backend.lossScale) return backend.lossScale
  const state: GpuLossScale = {
    scale: makeGpuTensor(backend, [], 'float32'),
    gate: makeGpuTensor(backend, [4], 'float32'),
    found: makeGpuTensor(backend, [1], 'int32'),
  }
  runGpuProgram(backend, begin, {
    inputs: [],
    outputs: [state.scale, state.gate, state.found],
    uniforms: [FIRST_SCALE],
    workgroups: [1],
  })
  backend.lossScale = state
  return state
}

/** Divides gradients by the scale, many in a dispatch; if one of them is not finite, all are zeros. Then sets the scale of the next step.
 *
 * @returns new ones
 */
export function unscaleOnGpu(
  backend: GpuEngineBackend,
  { scale, gate, found }: GpuLossScale,
  gradients: readonly TensorInfo[],
): TensorInfo[] {
  const { maxStorageBuffersPerShaderStage: buffers } = backend.device.limits
  const parts = gradients.map((x) => {
    const size = util.sizeFromShape(x.shape)
    const load: 1 | 4 = size % 4 === 0 ? 4 : 1
    return { x, result: makeGpuTensor(backend, x.shape, 'float32'), load, count: size / load }
  })
  // Alike sizes together: the small ones share their dispatches.
  const filled = parts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count)
  for (let start = 0; start < filled.length; start += buffers - 1) {
    const some = filled.slice(start, start + buffers - 1)
    const counts = some.map(({ count }) => count)
    const groups = Math.min(1024, Math.ceil(Math.max(...counts) / (THREADS * PER_THREAD)))
    runGpuProgram(backend, search(some.map(({ load }) => load)), {
      inputs: some.map(({ x }) => x),
      outputs: [found],
      uniforms: counts,
      workgroups: workgroupsFor(groups, 1),
    })
  }
  runGpuProgram(backend, advance, {
    inputs: [],
    outputs: [scale, gate, found],
    uniforms: [PATIENCE, LARGEST_SCALE],
    workgroups: [1],
  })
  const most = Math.floor((buffers - 1) / 2)
  for (let start = 0; start < filled.length; start += most) {
    const some = filled.slice(start, start + most)
    let end = 0
    const ends = some.map(({ count }) => (end += count))
    runGpuProgram(backend, unscale(some.map(({ load }) => load)), {
      inputs: [gate, ...some.map(({ x }) => x)],
      outputs: some.map(({ result }) => result),
      uniforms: ends,
      workgroups: workgroupsFor(end, THREADS),
    })
  }
  return parts.map(({ result }) => result)
}

/** The gate: what gradients are multiplied by, steps since the scale was changed, steps that were skipped, and whether this one is not. */
const begin: GpuProgram = {
  name: 'facekit_loss_scale_begin',
  keeps: true,
  inputs: [],
  outputs: ['scale: f32', 'gate: f32', 'found: i32'],
  uniforms: ['first: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(1)
    fn main() {
      scale[0] = uniforms.first;
      gate[0] = 1.0 / uniforms.first;
      gate[1] = 0.0;
      gate[2] = 0.0;
      gate[3] = 1.0;
      found[0] = 0;
    }`,
}

const advance: GpuProgram = {
  name: 'facekit_loss_scale_advance',
  inputs: [],
  outputs: ['scale: f32', 'gate: f32', 'found: i32'],
  uniforms: ['patience: f32', 'largest: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(1)
    fn main() {
      let finite = found[0] == 0;
      found[0] = 0;
      gate[0] = select(0.0, 1.0 / scale[0], finite);
      gate[3] = select(0.0, 1.0, finite);
      if (!finite) {
        gate[1] = 0.0;
        gate[2] += 1.0;
        scale[0] = max(1.0, 0.5 * scale[0]);
        return;
      }
      gate[1] += 1.0;
      if (gate[1] >= uniforms.patience) {
        gate[1] = 0.0;
        scale[0] = min(uniforms.largest, 2.0 * scale[0]);
      }
    }`,
}

const named = (name: string, loads: readonly (1 | 4)[]) =>
  loads.map((load, i) => `${name}${i}: ${vectorType(load)}`)

/** Neither infinite nor NaN, by the bits: compilers may assume that there are no others. */
const strange = (value: string, load: 1 | 4) => {
  const bits = vectorType(load, 'u32')
  const each = `((bitcast<${bits}>(${value}) & ${bits}(0x7f800000u)) == ${bits}(0x7f800000u))`
  return load === 4 ? `any(${each})` : each
}

/** Sets `found` if one of the numbers is not finite. */
const search = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_not_finite_${loads.join('')}`,
  inputs: named('x', loads),
  outputs: ['found: atomic<i32>'],
  uniforms: loads.map((_, i) => `count${i}: u32`),
  code: () => /* wgsl */ `
    @compute @workgroup_size(${THREADS})
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let step = workgroups.x * workgroups.y * ${THREADS}u;
      var bad = false;
      ${loads
        .map(
          (load, i) => `for (var k = group * ${THREADS}u + local; k < uniforms.count${i}; k += step) {
            let value = x${i}[k];
            bad |= ${strange('value', load)};
          }`,
        )
        .join('\n')}
      if (bad) { atomicStore(&found[0], 1); }
    }`,
})

const unscale = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_unscale_${loads.join('')}`,
  inputs: ['gate: f32', ...named('x', loads)],
  outputs: named('result', loads),
  uniforms: loads.map((_, i) => `end${i}: u32`),
  code: () => /* wgsl */ `
    @compute @workgroup_size(${THREADS})
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * ${THREADS}u + local;
      let finite = gate[3] > 0.0;
      ${loads
        .map((load, i) => {
          const at = `index${i === 0 ? '' : ` - uniforms.end${i - 1}`}`
          const zero = `${vectorType(load)}(0)`
          return `if (index < uniforms.end${i}) { result${i}[${at}] = select(${zero}, x${i}[${at}] * gate[0], finite); return; }`
        })
        .join('\n')}
    }`,
})
