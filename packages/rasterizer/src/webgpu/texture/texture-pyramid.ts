import { type GpuProgram, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { entry, GROUP_SIZE, linearIndex } from '../snippets.js'
import { texelCount, textureLevels } from '../../texture/texture-levels.js'

/** Texels of a picture's pyramid; the finer level and the coarser one. */
export const PYRAMID_UNIFORMS = [
  'count: u32',
  'channels: u32',
  'total: u32',
  'start: u32',
  'rows: u32',
  'columns: u32',
  'nextStart: u32',
  'nextRows: u32',
  'nextColumns: u32',
]

/** Copies level 0 in or out: places of a texture's numbers in a pyramid. */
const copyProgram: GpuProgram = {
  name: 'facekit_pyramid_copy',
  inputs: ['texture: f32'],
  outputs: ['pyramid: f32'],
  uniforms: PYRAMID_UNIFORMS,
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.count) { return; }
      let perItem = uniforms.rows * uniforms.columns * uniforms.channels;
      pyramid[index / perItem * uniforms.total * uniforms.channels + index % perItem] = texture[index];
    }`,
}

/** Each texel of the coarser level is the mean over its area. */
const reduceProgram: GpuProgram = {
  name: 'facekit_pyramid_reduce',
  inputs: [],
  outputs: ['pyramid: f32'],
  uniforms: PYRAMID_UNIFORMS,
  code: /* wgsl */ `${linearIndex}
    /** Weights of texels 2 i, 2 i + 1, 2 i + 2 of n. */
    fn weightsOf(i: u32, n: u32) -> vec3<f32> {
      if (n == 1u) { return vec3<f32>(1.0, 0.0, 0.0); }
      if (n % 2u == 0u) { return vec3<f32>(0.5, 0.5, 0.0); }
      let half = n / 2u;
      return vec3<f32>(f32(half - i), f32(half), f32(i + 1u)) / f32(n);
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.count) { return; }
      let k = index % uniforms.channels;
      let texel = index / uniforms.channels;
      let column = texel % uniforms.nextColumns;
      let row = texel / uniforms.nextColumns % uniforms.nextRows;
      let first = texel / (uniforms.nextColumns * uniforms.nextRows) * uniforms.total;
      let across = weightsOf(column, uniforms.columns);
      let down = weightsOf(row, uniforms.rows);
      var sum = 0.0;
      for (var j = 0u; j < 3u; j++) {
        let y = min(2u * row + j, uniforms.rows - 1u);
        var line = 0.0;
        for (var i = 0u; i < 3u; i++) {
          let x = min(2u * column + i, uniforms.columns - 1u);
          if (across[i] != 0.0) {
            line += across[i] * pyramid[(first + uniforms.start + y * uniforms.columns + x) * uniforms.channels + k];
          }
        }
        if (down[j] != 0.0) { sum += down[j] * line; }
      }
      pyramid[(first + uniforms.nextStart + row * uniforms.nextColumns + column) * uniforms.channels + k] = sum;
    }`,
}

/** Fills all levels of a texture, `[B, T, C]`. */
export function texturePyramidOnGpu(backend: KernelBackend, texture: TensorInfo, pyramid: TensorInfo): void {
  const [batch, rows, columns, channels] = texture.shape
  const levels = textureLevels(rows, columns)
  const total = texelCount(levels)
  const count = batch * rows * columns * channels
  runGpuProgram(backend, copyProgram, {
    inputs: [texture],
    outputs: [pyramid],
    uniforms: [count, channels, total, 0, rows, columns, 0, 0, 0],
    workgroups: workgroupsFor(count, GROUP_SIZE),
  })
  for (let level = 1; level < levels.length; level++) {
    const [finer, coarser] = [levels[level - 1], levels[level]]
    const numbers = batch * coarser.rows * coarser.columns * channels
    runGpuProgram(backend, reduceProgram, {
      inputs: [],
      outputs: [pyramid],
      uniforms: [
        numbers,
        channels,
        total,
        finer.start,
        finer.rows,
        finer.columns,
        coarser.start,
        coarser.rows,
        coarser.columns,
      ],
      workgroups: workgroupsFor(numbers, GROUP_SIZE),
    })
  }
}
