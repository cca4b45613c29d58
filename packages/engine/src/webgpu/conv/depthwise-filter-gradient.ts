import { makeGpuTensor, runGpuProgram } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { geometryKey, type ConvGeometry } from './geometry.js'
import { plainFinish } from '../matmul/finish.js'
import { sumParts } from '../matmul/sum.js'

/* Contributor notes
 *
 * Few results (kh * kw * C), each a sum over all pixels: one invocation for a result, as tfjs has it, leaves a GPU idle. Here an invocation has one
 * channel, up to 16 taps of the filter and some of the pixels; a workgroup's invocations of one channel add up in its memory, workgroups by
 * sumParts.
 */

/** Channels, and invocations that share the pixels of one channel. */
const CHANNELS = 32
const SHARING = 8
/** Taps of the filter at a time. */
const TAPS = 16
/** Workgroups that keep a large GPU busy. */
const BUSY = 1024

/** Gradient of a depthwise convolution with respect to its filter.
 *
 * @returns `[kh, kw, C, M]`
 */
export function depthwiseFilterGradient(
  backend: KernelBackend,
  x: TensorInfo,
  dy: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const shape = [g.filterHeight, g.filterWidth, g.inChannels, g.outChannels / g.inChannels]
  const taps = g.filterHeight * g.filterWidth
  const pixels = x.shape[0] * g.outHeight * g.outWidth
  const across = Math.ceil(g.outChannels / CHANNELS)
  const down = Math.ceil(taps / TAPS)
  const parts = Math.max(1, Math.min(Math.ceil(BUSY / (across * down)), Math.ceil(pixels / (8 * SHARING))))
  const partial = makeGpuTensor(backend, [parts, ...shape], 'float32')
  runGpuProgram(
    backend,
    {
      name: `facekit_depthwise_filter_gradient_${geometryKey(g)}`,
      inputs: ['x: f32', 'dy: f32'],
      outputs: ['result: f32'],
      uniforms: ['pixels: u32', 'parts: u32'],
      code: () => filterGradientCode(g),
    },
    { inputs: [x, dy], outputs: [partial], uniforms: [pixels, parts], workgroups: [across, down, parts] },
  )
  return sumParts(backend, partial, shape, parts, g.outChannels, plainFinish)
}

function filterGradientCode(g: ConvGeometry): string {
  const { filterHeight, filterWidth, outChannels, inChannels, outHeight, outWidth, inHeight, inWidth } = g
  const taps = filterHeight * filterWidth
  const own = Array.from({ length: Math.min(TAPS, taps) }, (_, i) => i)
  const each = (line: (i: number) => string) => own.map(line).join('\n')
  return /* wgsl */ `
    var<workgroup> sums: array<f32, ${CHANNELS * SHARING}>;
    @compute @workgroup_size(${CHANNELS * SHARING})
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
      let channel = group.x * ${CHANNELS}u + local % ${CHANNELS}u;
      let own = min(channel, ${outChannels - 1}u);
      let source = own / ${outChannels / inChannels}u;
      ${each(
        (i) => `
      let tap${i} = group.y * ${TAPS}u + ${i}u;
      let down${i} = i32(tap${i} / ${filterWidth}u) * ${g.dilationHeight} - ${g.padTop};
      let across${i} = i32(tap${i} % ${filterWidth}u) * ${g.dilationWidth} - ${g.padLeft};
      var sum${i} = 0.0;`,
      )}
      let size = (uniforms.pixels + uniforms.parts - 1u) / uniforms.parts;
      let end = min(uniforms.pixels, (group.z + 1u) * size);
      for (var pixel = group.z * size + local / ${CHANNELS}u; pixel < end; pixel += ${SHARING}u) {
        let x0 = i32(pixel % ${outWidth}u) * ${g.strideWidth};
        let y0 = i32(pixel / ${outWidth}u % ${outHeight}u) * ${g.strideHeight};
        let picture = i32(pixel / ${outWidth * outHeight}u);
        let gradient = dy[pixel * ${outChannels}u + own];
        ${each(
          (i) => `{
          let y = y0 + down${i};
          let z = x0 + across${i};
          let inside = u32(y) < ${inHeight}u && u32(z) < ${inWidth}u;
          let place = ((picture * ${inHeight} + y) * ${inWidth} + z) * ${inChannels} + i32(source);
          sum${i} += select(0.0, x[select(0, place, inside)], inside) * gradient;
        }`,
        )}
      }
      ${each(
        (i) => `
      sums[local] = sum${i};
      workgroupBarrier();
      if (local < ${CHANNELS}u && channel < ${outChannels}u && tap${i} < ${taps}u) {
        var total = 0.0;
        for (var other = 0u; other < ${SHARING}u; other++) { total += sums[other * ${CHANNELS}u + local]; }
        result[(group.z * ${taps}u + tap${i}) * ${outChannels}u + channel] = total;
      }
      workgroupBarrier();`,
      )}
    }`
}
