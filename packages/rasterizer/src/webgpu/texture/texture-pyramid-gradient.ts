import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { entry, GROUP_SIZE, linearIndex } from '../snippets.js'
import { PYRAMID_UNIFORMS } from './texture-pyramid.js'
import { texelCount, textureLevels } from '../../texture/texture-levels.js'

/** The transpose: a texel of the finer level gets its part of those coarser ones that it is in. */
const spread = (output: string): string => /* wgsl */ `${linearIndex}
    struct Parts { first: u32, second: u32, weights: vec2<f32> }
    /** The coarser texels that texel i of n is in. */
    fn partsOf(i: u32, n: u32) -> Parts {
      if (n == 1u) { return Parts(0u, 0u, vec2<f32>(1.0, 0.0)); }
      let half = n / 2u;
      if (n % 2u == 0u) { return Parts(i / 2u, 0u, vec2<f32>(0.5, 0.0)); }
      if (i % 2u == 1u) { return Parts(i / 2u, 0u, vec2<f32>(f32(half) / f32(n), 0.0)); }
      let at = i / 2u;
      return Parts(min(at, half - 1u), max(at, 1u) - 1u, vec2<f32>(f32(half - at), f32(at)) / f32(n));
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.count) { return; }
      let k = index % uniforms.channels;
      let texel = index / uniforms.channels;
      let column = texel % uniforms.columns;
      let row = texel / uniforms.columns % uniforms.rows;
      let first = texel / (uniforms.columns * uniforms.rows) * uniforms.total;
      let across = partsOf(column, uniforms.columns);
      let down = partsOf(row, uniforms.rows);
      let finer = (first + uniforms.start + row * uniforms.columns + column) * uniforms.channels + k;
      var sum = work[finer];
      for (var j = 0u; j < 2u; j++) {
        let y = select(down.second, down.first, j == 0u);
        for (var i = 0u; i < 2u; i++) {
          let x = select(across.second, across.first, i == 0u);
          let weight = down.weights[j] * across.weights[i];
          if (weight != 0.0) {
            sum += weight * work[(first + uniforms.nextStart + y * uniforms.nextColumns + x) * uniforms.channels + k];
          }
        }
      }
      ${output} = sum;
    }`
const spreadProgram: GpuProgram = {
  name: 'facekit_pyramid_spread',
  inputs: [],
  outputs: ['work: f32'],
  uniforms: PYRAMID_UNIFORMS,
  code: () => spread('work[finer]'),
}
const finishProgram: GpuProgram = {
  name: 'facekit_pyramid_finish',
  inputs: ['work: f32'],
  outputs: ['gradient: f32'],
  uniforms: PYRAMID_UNIFORMS,
  code: () => spread('gradient[index]'),
}
/** A copy to work on. */
const cloneProgram: GpuProgram = {
  name: 'facekit_pyramid_clone',
  inputs: ['upstream: f32'],
  outputs: ['work: f32'],
  uniforms: ['count: u32'],
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.count) { work[index] = upstream[index]; }
    }`,
}

/** Fills the gradient of the texture from that of all levels. */
export function texturePyramidGradientOnGpu(
  backend: KernelBackend,
  upstream: TensorInfo,
  gradient: TensorInfo,
): void {
  const [batch, rows, columns, channels] = gradient.shape
  const levels = textureLevels(rows, columns)
  const total = texelCount(levels)
  const all = batch * total * channels
  const clone = (to: TensorInfo) =>
    runGpuProgram(backend, cloneProgram, {
      inputs: [upstream],
      outputs: [to],
      uniforms: [all],
      workgroups: workgroupsFor(all, GROUP_SIZE),
    })
  // One texel: the only level is the texture.
  if (levels.length === 1) return clone(gradient)
  const work = makeGpuTensor(backend, upstream.shape, 'float32')
  clone(work)
  for (let level = levels.length - 1; level > 0; level--) {
    const [finer, coarser] = [levels[level - 1], levels[level]]
    const count = batch * finer.rows * finer.columns * channels
    const last = level === 1
    runGpuProgram(backend, last ? finishProgram : spreadProgram, {
      inputs: last ? [work] : [],
      outputs: [last ? gradient : work],
      uniforms: [
        count,
        channels,
        total,
        finer.start,
        finer.rows,
        finer.columns,
        coarser.start,
        coarser.rows,
        coarser.columns,
      ],
      workgroups: workgroupsFor(count, GROUP_SIZE),
    })
  }
  backend.disposeData(work.dataId)
}
