import {
  gpuMemoryType,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
  type GpuProgram,
  type GpuProgramArguments,
} from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend, GpuLossScale } from './backend/engine-backend.js'
import { GROUP, GROUP_PARAMETERS, THREADS, vectorType } from './columns.js'

/** What losses are multiplied by at first, and at most. */
const FIRST_SCALE = 2 ** 16
const LARGEST_SCALE = 2 ** 24
/** Steps with finite gradients after which the scale is doubled. */
const PATIENCE = 2000

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
 * @returns those that nobody else sees in place, the others as new ones
 * @memory the caller owns the results
 */
export function unscaleOnGpu(
  backend: GpuEngineBackend,
  { scale, gate, found }: GpuLossScale,
  gradients: readonly TensorInfo[],
): TensorInfo[] {
  const { maxStorageBuffersPerShaderStage: buffers } = backend.device.limits
  const seen = new Map<object, number>()
  for (const { dataId } of gradients) seen.set(dataId, (seen.get(dataId) ?? 0) + 1)
  const parts = gradients.map((x) => {
    const size = util.sizeFromShape(x.shape)
    const load: 1 | 4 = size % 4 === 0 ? 4 : 1
    const inPlace =
      size > 0 &&
      seen.get(x.dataId) === 1 &&
      backend.refCount(x.dataId) === 1 &&
      gpuMemoryType(backend, x) === 'float32'
    if (inPlace) backend.incRef(x.dataId)
    return {
      x,
      inPlace,
      result: inPlace ? x : makeGpuTensor(backend, x.shape, 'float32'),
      load,
      count: size / load,
    }
  })
  // Alike sizes together: the small ones share their dispatches.
  const filled = parts.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count)
  type Part = (typeof filled)[0]
  /** Runs a program for as many at a time as can be bound. */
  const each = (
    some: readonly Part[],
    most: number,
    program: (loads: (1 | 4)[]) => GpuProgram,
    operands: (chunk: readonly Part[]) => Pick<GpuProgramArguments, 'inputs' | 'outputs'>,
  ) => {
    for (let start = 0; start < some.length; start += most) {
      const chunk = some.slice(start, start + most)
      let end = 0
      const ends = chunk.map(({ count }) => (end += count))
      runGpuProgram(backend, program(chunk.map(({ load }) => load)), {
        ...operands(chunk),
        uniforms: ends,
        workgroups: workgroupsFor(end, THREADS),
      })
    }
  }
  each(filled, buffers - 1, search, (chunk) => ({ inputs: chunk.map(({ x }) => x), outputs: [found] }))
  runGpuProgram(backend, advance, {
    inputs: [],
    outputs: [scale, gate, found],
    uniforms: [PATIENCE, LARGEST_SCALE],
    workgroups: [1],
  })
  each(
    filled.filter(({ inPlace }) => inPlace),
    buffers - 1,
    unscaleInPlace,
    (chunk) => ({ inputs: [gate], outputs: chunk.map(({ result }) => result) }),
  )
  each(
    filled.filter(({ inPlace }) => !inPlace),
    Math.floor((buffers - 1) / 2),
    unscale,
    (chunk) => ({ inputs: [gate, ...chunk.map(({ x }) => x)], outputs: chunk.map(({ result }) => result) }),
  )
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

/** WGSL: what each invocation does with its element of one of several arrays, one after the other.
 *
 * @param body - with the index `at` of the array `i`
 */
const perElement = (loads: readonly (1 | 4)[], body: (load: 1 | 4, i: number) => string) => /* wgsl */ `
    @compute @workgroup_size(${THREADS})
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * ${THREADS}u + local;
      ${loads
        .map(
          (load, i) => `if (index < uniforms.end${i}) {
            let at = index${i === 0 ? '' : ` - uniforms.end${i - 1}`};
            ${body(load, i)}
            return;
          }`,
        )
        .join('\n')}
    }`

const ends = (loads: readonly (1 | 4)[]) => loads.map((_, i) => `end${i}: u32`)

/** Sets `found` if one of the numbers is not finite. */
const search = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_not_finite_${loads.join('')}`,
  inputs: named('x', loads),
  outputs: ['found: atomic<i32>'],
  uniforms: ends(loads),
  code: () =>
    perElement(
      loads,
      (load, i) => `let value = x${i}[at]; if (${strange('value', load)}) { atomicStore(&found[0], 1); }`,
    ),
})

/** Finite gradients divided by the scale, else zeros. */
const unscaled = (load: 1 | 4, from: string) =>
  `select(${vectorType(load)}(0), ${from} * gate[0], gate[3] > 0.0)`

const unscale = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_unscale_${loads.join('')}`,
  inputs: ['gate: f32', ...named('x', loads)],
  outputs: named('result', loads),
  uniforms: ends(loads),
  code: () => perElement(loads, (load, i) => `result${i}[at] = ${unscaled(load, `x${i}[at]`)};`),
})

const unscaleInPlace = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_unscale_in_place_${loads.join('')}`,
  inputs: ['gate: f32'],
  outputs: named('x', loads),
  uniforms: ends(loads),
  code: () => perElement(loads, (load, i) => `x${i}[at] = ${unscaled(load, `x${i}[at]`)};`),
})
