import {
  type GpuBackend,
  type GpuProgram,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
} from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { keepNaN } from './nan.js'
import { GROUP, GROUP_PARAMETERS, THREADS, vectorType } from './columns.js'

/** Numbers that a thread adds up, about. */
const PER_THREAD = 16

interface Part {
  x: TensorInfo
  result: TensorInfo
  load: 1 | 4
  /** Loads. */
  count: number
}

/** Scales tensors so that the norm of all of them together is at most `limit`, many of them in a dispatch.
 *
 * @returns the scaled tensors, and the norm `[1]` before
 */
export function clipOnGpu(
  backend: KernelBackend,
  tensors: readonly TensorInfo[],
  limit: number,
): { clipped: TensorInfo[]; norm: TensorInfo } {
  const { maxStorageBuffersPerShaderStage: buffers } = (backend as GpuBackend).device.limits
  const parts = tensors.map((x): Part => {
    const size = util.sizeFromShape(x.shape)
    const load = size % 4 === 0 ? 4 : 1
    return { x, result: makeGpuTensor(backend, x.shape, 'float32'), load, count: size / load }
  })
  const filled = parts.filter(({ count }) => count > 0)

  const groups = filled.map(({ count }) => Math.min(256, Math.ceil(count / (THREADS * PER_THREAD))))
  const total = groups.reduce((sum, n) => sum + n, 0)
  const sums = makeGpuTensor(backend, [Math.max(1, total)], 'float32')
  let offset = 0
  for (let start = 0; start < filled.length; start += buffers - 1) {
    const some = filled.slice(start, start + buffers - 1)
    const ends = endsOf(groups.slice(start, start + some.length))
    runGpuProgram(backend, squares(some.map(({ load }) => load)), {
      inputs: some.map(({ x }) => x),
      outputs: [sums],
      uniforms: [offset, ...ends, ...some.map(({ count }) => count)],
      workgroups: workgroupsFor(ends[ends.length - 1], 1),
    })
    offset += ends[ends.length - 1]
  }
  const norm = makeGpuTensor(backend, [1], 'float32')
  const factor = makeGpuTensor(backend, [1], 'float32')
  runGpuProgram(backend, normProgram, {
    inputs: [sums],
    outputs: [norm, factor],
    uniforms: [total, limit],
    workgroups: [1],
  })
  const most = Math.floor((buffers - 1) / 2)
  for (let start = 0; start < filled.length; start += most) {
    const some = filled.slice(start, start + most)
    const ends = endsOf(some.map(({ count }) => count))
    runGpuProgram(backend, scaled(some.map(({ load }) => load)), {
      inputs: [factor, ...some.map(({ x }) => x)],
      outputs: some.map(({ result }) => result),
      uniforms: ends,
      workgroups: workgroupsFor(ends[ends.length - 1], THREADS),
    })
  }
  for (const { dataId } of [sums, factor]) backend.disposeData(dataId)
  return { clipped: parts.map(({ result }) => result), norm }
}

/** Where each of several runs ends when they come one after the other. */
const endsOf = (counts: readonly number[]): number[] => {
  let end = 0
  return counts.map((count) => (end += count))
}

const named = (name: string, loads: readonly (1 | 4)[]) =>
  loads.map((load, i) => `${name}${i}: ${vectorType(load)}`)
const integers = (name: string, loads: readonly (1 | 4)[]) => loads.map((_, i) => `${name}${i}: u32`)

/** Sums of squares, one for each workgroup. */
const squares = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_squares_${loads.join('')}`,
  inputs: named('x', loads),
  outputs: ['sums: f32'],
  uniforms: ['offset: u32', ...integers('end', loads), ...integers('count', loads)],
  code: () => {
    const sections = loads.map((load, i) => {
      const begin = i === 0 ? '0u' : `uniforms.end${i - 1}`
      const square = load === 4 ? 'dot(value, value)' : 'value * value'
      return /* wgsl */ `
        if (group >= ${begin} && group < uniforms.end${i}) {
          let step = (uniforms.end${i} - ${begin}) * ${THREADS}u;
          for (var k = (group - ${begin}) * ${THREADS}u + local; k < uniforms.count${i}; k += step) {
            let value = x${i}[k];
            sum += ${square};
          }
        }`
    })
    return /* wgsl */ `
      var<workgroup> totals: array<f32, ${THREADS}>;
      @compute @workgroup_size(${THREADS})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        var sum = 0.0;
        ${sections.join('')}
        ${treeSum}
        if (local == 0u && group < uniforms.end${loads.length - 1}) { sums[uniforms.offset + group] = totals[0]; }
      }`
  },
})

/** Adds up `sum` of all threads into `totals[0]`. */
const treeSum = /* wgsl */ `
  totals[local] = sum;
  workgroupBarrier();
  for (var width = ${THREADS / 2}u; width > 0u; width /= 2u) {
    if (local < width) { totals[local] += totals[local + width]; }
    workgroupBarrier();
  }`

const normProgram: GpuProgram = {
  name: 'facekit_global_norm',
  inputs: ['sums: f32'],
  outputs: ['norm: f32', 'factor: f32'],
  uniforms: ['count: u32', 'limit: f32'],
  code: /* wgsl */ `
    var<workgroup> totals: array<f32, ${THREADS}>;
    @compute @workgroup_size(${THREADS})
    fn main(@builtin(local_invocation_index) local: u32) {
      var sum = 0.0;
      for (var i = local; i < uniforms.count; i += ${THREADS}u) { sum += sums[i]; }
      ${treeSum}
      if (local == 0u) {
        let length = sqrt(totals[0]);
        norm[0] = length;
        factor[0] = ${keepNaN('length', 'select(1.0, uniforms.limit / length, length > uniforms.limit)', 'f32')};
      }
    }`,
}

const scaled = (loads: readonly (1 | 4)[]): GpuProgram => ({
  name: `facekit_scaled_${loads.join('')}`,
  inputs: ['factor: f32', ...named('x', loads)],
  outputs: named('result', loads),
  uniforms: integers('end', loads),
  code: () => {
    const sections = loads.map((_, i) => {
      const at = `index${i === 0 ? '' : ` - uniforms.end${i - 1}`}`
      return `if (index < uniforms.end${i}) { result${i}[${at}] = x${i}[${at}] * factor[0]; return; }`
    })
    return /* wgsl */ `
      @compute @workgroup_size(${THREADS})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let index = group * ${THREADS}u + local;
        ${sections.join('\n')}
      }`
  },
})
