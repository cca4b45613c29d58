import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { entry, GROUP_SIZE, linearIndex } from './snippets.js'

/* Contributor notes
 *
 * WGSL has no atomic float additions, and those of other languages give another sum in each run. Here contributions are added
 * in fixed point, in 64 bits made of two atomic 32-bit words: integer sums do not depend on the order. It is for sums whose contributions
 * cannot be found from where they go, as those of texels; vertices gather (gather.ts).
 *
 * Two passes over the same code: the first finds the largest magnitude at each place, the second adds. The point is placed so that
 * n contributions of that magnitude cannot overflow: a contribution c becomes c 2^s with |c 2^s| < 2^(62 - ceil(log2 n)), n being
 * all contributions there are. For a batch of 32 pictures of 224 x 224 and mip maps (n = 12.8 million) that leaves 38 bits below the
 * largest contribution of each place, more than a float has.
 *
 * A contribution that is not finite makes its place not finite.
 *
 * The carry of the low word: atomicAdd returns what was there before, and exactly one of the additions that wrap around sees
 * it wrap, in any order.
 */

/** A program that adds numbers up: `contribute(index)` calls `emit(where, value)` any number of times. */
export interface ScatterProgram {
  largest: GpuProgram
  add: GpuProgram
}

/** WGSL: biased exponent of the power of two that brings numbers up to `largest` (bits of a float) below 2^bits. */
const exponentOfScale = /* wgsl */ `
  fn exponentOfScale(largest: u32, bits: i32) -> u32 {
    return u32(clamp(bits + 253 - i32(largest >> 23u), 1, 253));
  }`

/** Makes a scatter program of WGSL with `fn contribute(index: u32)`. */
export function scatterProgram(
  name: string,
  inputs: readonly string[],
  uniforms: readonly string[],
  contribute: string,
): ScatterProgram {
  const main = /* wgsl */ `${linearIndex}
    ${contribute}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.threads) { contribute(index); }
    }`
  const program = { inputs, uniforms: ['threads: u32', 'bits: i32', ...uniforms] }
  return {
    largest: {
      ...program,
      name: `${name}_largest`,
      outputs: ['largest: atomic<u32>'],
      code: /* wgsl */ `
        fn emit(index: u32, value: f32) {
          let size = bitcast<u32>(value) & 0x7fffffffu;
          // Most are not the largest so far: a look costs less than an update.
          if (size > atomicLoad(&largest[index])) { atomicMax(&largest[index], size); }
        }
        ${main}`,
    },
    add: {
      ...program,
      name: `${name}_add`,
      inputs: [...inputs, 'largest: u32'],
      outputs: ['sums: atomic<u32>'],
      code: /* wgsl */ `${exponentOfScale}
        fn emit(index: u32, value: f32) {
          let top = largest[index];
          if (value == 0.0 || top >= 0x7f800000u) { return; }
          let magnitude = abs(value) * bitcast<f32>(exponentOfScale(top, uniforms.bits) << 23u);
          var high = u32(floor(magnitude * 0x1p-32f));
          var low = u32(magnitude - f32(high) * 0x1p32f);
          if (value < 0.0) {
            low = ~low + 1u;
            high = ~high + select(0u, 1u, low == 0u);
          }
          if (low != 0u) {
            let before = atomicAdd(&sums[2u * index], low);
            if (before + low < before) { high = high + 1u; }
          }
          if (high != 0u) { atomicAdd(&sums[2u * index + 1u], high); }
        }
        ${main}`,
    },
  }
}

const clearProgram: GpuProgram = {
  name: 'facekit_scatter_clear',
  inputs: [],
  outputs: ['largest: u32', 'sums: vec2<u32>'],
  uniforms: ['size: u32'],
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.size) { return; }
      largest[index] = 0u;
      sums[index] = vec2<u32>(0u);
    }`,
}

const resolveProgram: GpuProgram = {
  name: 'facekit_scatter_resolve',
  inputs: ['largest: u32', 'sums: vec2<u32>'],
  outputs: ['result: f32'],
  uniforms: ['size: u32', 'bits: i32'],
  code: /* wgsl */ `${exponentOfScale}${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.size) { return; }
      let top = largest[index];
      var low = sums[index].x;
      var high = sums[index].y;
      let negative = high >= 0x80000000u;
      if (negative) {
        low = ~low + 1u;
        high = ~high + select(0u, 1u, low == 0u);
      }
      let magnitude = f32(high) * 0x1p32f + f32(low);
      let unscale = bitcast<f32>((254u - exponentOfScale(top, uniforms.bits)) << 23u);
      let sum = select(magnitude, -magnitude, negative) * unscale;
      result[index] = select(sum, bitcast<f32>(top), top >= 0x7f800000u);
    }`,
}

/** Adds up what `threads` invocations emit, at most `perThread` of it for one place each; fills `result`, with the same numbers in each run. */
export function scatter(
  backend: KernelBackend,
  program: ScatterProgram,
  inputs: readonly TensorInfo[],
  uniforms: readonly number[],
  threads: number,
  perThread: number,
  result: TensorInfo,
): void {
  const size = util.sizeFromShape(result.shape)
  const largest = makeGpuTensor(backend, [size], 'int32')
  const sums = makeGpuTensor(backend, [2 * size], 'int32')
  const bits = 62 - Math.ceil(Math.log2(Math.max(1, threads * perThread)))
  const all = workgroupsFor(size, GROUP_SIZE)
  runGpuProgram(backend, clearProgram, {
    inputs: [],
    outputs: [largest, sums],
    uniforms: [size],
    workgroups: all,
  })
  const run = { uniforms: [threads, bits, ...uniforms], workgroups: workgroupsFor(threads, GROUP_SIZE) }
  runGpuProgram(backend, program.largest, { ...run, inputs, outputs: [largest] })
  runGpuProgram(backend, program.add, { ...run, inputs: [...inputs, largest], outputs: [sums] })
  runGpuProgram(backend, resolveProgram, {
    inputs: [largest, sums],
    outputs: [result],
    uniforms: [size, bits],
    workgroups: all,
  })
  for (const { dataId } of [largest, sums]) backend.disposeData(dataId)
}
