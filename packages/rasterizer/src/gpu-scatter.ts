import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { fillIntegers, makeOutput, runProgram, type GpuProgram } from './gpu-program.js'

/* Contributor notes
 *
 * WGSL has no atomic float additions, and those of other languages give another sum in each run. Here contributions are added
 * in fixed point, in 64 bits made of two atomic 32-bit words: integer sums do not depend on the order.
 *
 * Two passes over the same code: the first finds the largest magnitude, the second adds. The point is placed so that n
 * contributions of the largest magnitude cannot overflow: a contribution c becomes c 2^s with |c 2^s| < 2^(62 - ceil(log2 n)).
 * For a batch of 32 pictures of 224 x 224 (n = 4.8 million) that leaves 39 bits: whatever is above 2^-15 of the
 * largest keeps the 24 bits that a float has, and the absolute error of a contribution is below 2^-39 of the largest.
 *
 * A contribution that is not finite makes the whole gradient NaN.
 *
 * The carry of the low word: atomicAdd returns what was there before, and exactly one of the additions that wrap around sees
 * it wrap, in any order.
 */

/** A program that adds numbers up: `contribute(index)` calls `emit(where, value)` any number of times. */
export interface ScatterProgram {
  largest: GpuProgram
  add: GpuProgram
}

/** Makes a scatter program of WGSL with `fn contribute(index : i32)`, which is called below `uniforms.threads` only. */
export function scatterProgram(
  name: string,
  inputs: readonly string[],
  uniforms: readonly string[],
  contribute: string,
): ScatterProgram {
  const program = { inputs, uniforms: ['bits', ...uniforms], atomic: true }
  return {
    largest: {
      ...program,
      name: `${name}_largest`,
      code: /* wgsl */ `
        var<workgroup> groupLargest : atomic<u32>;
        var<private> ownLargest : u32;
        fn emit(index : i32, value : f32) {
          ownLargest = max(ownLargest, bitcast<u32>(value) & 0x7fffffffu);
        }
        ${contribute}
        fn main(index : i32) {
          if (index < uniforms.threads) { contribute(index); }
          if (ownLargest > 0u) { atomicMax(&groupLargest, ownLargest); }
          workgroupBarrier();
          if (localIndex == 0u) { atomicMax(&result[0], bitcast<i32>(atomicLoad(&groupLargest))); }
        }`,
    },
    add: {
      ...program,
      name: `${name}_add`,
      code: /* wgsl */ `${exponentOfScale}
        var<private> scale : f32;
        fn emit(index : i32, value : f32) {
          let magnitude = abs(value) * scale;
          var high = u32(floor(magnitude * 0x1p-32f));
          var low = u32(magnitude - f32(high) * 0x1p32f);
          if (value < 0.0) {
            low = ~low + 1u;
            high = ~high + select(0u, 1u, low == 0u);
          }
          if (low != 0u) {
            let before = bitcast<u32>(atomicAdd(&result[2 * index + 1], bitcast<i32>(low)));
            if (before + low < before) { high = high + 1u; }
          }
          if (high != 0u) { atomicAdd(&result[2 * index + 2], bitcast<i32>(high)); }
        }
        ${contribute}
        fn main(index : i32) {
          let largest = atomicLoad(&result[0]);
          if (index < uniforms.threads && largest > 0 && largest < 0x7f800000) {
            scale = bitcast<f32>(exponentOfScale(largest, uniforms.bits) << 23u);
            contribute(index);
          }
        }`,
    },
  }
}

/** WGSL: biased exponent of the power of two that brings numbers up to `largest` (bits of a float) below 2^bits. */
const exponentOfScale = /* wgsl */ `
  fn exponentOfScale(largest : i32, bits : i32) -> u32 {
    return u32(clamp(bits + 253 - (largest >> 23u), 1, 253));
  }`

const resolveProgram: GpuProgram = {
  name: 'facekit_scatter_resolve',
  inputs: ['sums'],
  uniforms: ['bits'],
  code: /* wgsl */ `${exponentOfScale}
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let largest = sums[0];
      if (largest >= 0x7f800000) {
        result[index] = uniforms.NAN;
        return;
      }
      var low = bitcast<u32>(sums[2 * index + 1]);
      var high = bitcast<u32>(sums[2 * index + 2]);
      let negative = high >= 0x80000000u;
      if (negative) {
        low = ~low + 1u;
        high = ~high + select(0u, 1u, low == 0u);
      }
      let magnitude = f32(high) * 0x1p32f + f32(low);
      let unscale = bitcast<f32>((254u - exponentOfScale(largest, uniforms.bits)) << 23u);
      result[index] = select(magnitude, -magnitude, negative) * unscale;
    }`,
}

/** Adds up what `threads` invocations emit, at most `perThread` of it for one place each.
 *
 * @returns float32 of `shape`, the same in each run
 */
export function scatter(
  backend: KernelBackend,
  program: ScatterProgram,
  inputs: readonly TensorInfo[],
  uniforms: readonly number[],
  threads: number,
  perThread: number,
  shape: number[],
): TensorInfo {
  const size = util.sizeFromShape(shape)
  const output = makeOutput(backend, shape, 'float32')
  const bits = 62 - Math.ceil(Math.log2(Math.max(1, threads * perThread)))
  const sums = makeOutput(backend, [2 * size + 1], 'int32')
  fillIntegers(backend, sums, 0, 0, 2 * size + 1)
  runProgram(backend, program.largest, inputs, [bits, ...uniforms], threads, sums)
  runProgram(backend, program.add, inputs, [bits, ...uniforms], threads, sums)
  runProgram(backend, resolveProgram, [sums], [bits], size, output)
  backend.disposeData(sums.dataId)
  return output
}
