import {
  type GpuProgram,
  makeGpuTensor,
  runGpuProgram,
  wgslGroupSum,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { SMALLEST_WEIGHT } from './weighted-mean.js'

interface Attributes {
  epsilon: number
}

/** Pixels that a workgroup adds up. */
const BLOCK = 1024
const SIZE = 64

const INPUTS = ['rendered: f32', 'picture: f32', 'mask: f32', 'faceRegion: f32', 'skinProbability: f32']

const pixel = /* wgsl */ `
  fn weightOf(i: u32) -> f32 {
    let weight = mask[i] * faceRegion[i];
    if (uniforms.withSkin == 0u || skinProbability[i] > 0.5) { return weight; }
    return weight * skinProbability[i];
  }
  fn residualOf(i: u32) -> vec3<f32> {
    return vec3<f32>(rendered[3u * i] - picture[3u * i], rendered[3u * i + 1u] - picture[3u * i + 1u],
      rendered[3u * i + 2u] - picture[3u * i + 2u]);
  }
  fn lengthOf(v: vec3<f32>) -> f32 { return sqrt(dot(v, v) + uniforms.epsilon * uniforms.epsilon); }`

/** Error and weight of each block of a picture. */
const partsProgram: GpuProgram = {
  name: 'facekit_color_residual_parts',
  inputs: INPUTS,
  outputs: ['parts: vec2<f32>'],
  uniforms: ['pixels: u32', 'withSkin: u32', 'epsilon: f32'],
  code: /* wgsl */ `${pixel}${wgslGroupSum(1, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      for (var k = local; k < ${BLOCK}u; k += ${SIZE}u) {
        let place = group.x * ${BLOCK}u + k;
        if (place >= uniforms.pixels) { break; }
        let i = group.y * uniforms.pixels + place;
        let weight = weightOf(i);
        own[0].x += weight * (lengthOf(residualOf(i)) - uniforms.epsilon);
        own[0].y += weight;
      }
      let sums = groupSum(local, own);
      if (local == 0u) { parts[group.y * groups.x + group.x] = sums[0].xy; }`,
      SIZE,
    )}`,
}

/** The loss, and for each picture the factor of its gradient. */
const sumProgram: GpuProgram = {
  name: 'facekit_color_residual_sum',
  inputs: ['parts: vec2<f32>'],
  outputs: ['loss: f32', 'factors: f32'],
  uniforms: ['batch: u32', 'blocks: u32'],
  code: /* wgsl */ `${wgslGroupSum(1, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      for (var item = local; item < uniforms.batch; item += ${SIZE}u) {
        var sum = vec2<f32>();
        for (var i = 0u; i < uniforms.blocks; i++) { sum += parts[item * uniforms.blocks + i]; }
        let factor = 1.0 / (max(sum.y, ${SMALLEST_WEIGHT}) * f32(uniforms.batch));
        factors[item] = factor;
        own[0].x += sum.x * factor;
      }
      let total = groupSum(local, own);
      if (local == 0u) { loss[0] = total[0].x; }`,
      SIZE,
    )}`,
}

const gradientProgram: GpuProgram = {
  name: 'facekit_color_residual_gradient',
  inputs: [...INPUTS, 'factors: f32', 'upstream: f32'],
  outputs: ['toRendered: f32'],
  uniforms: ['pixels: u32', 'withSkin: u32', 'epsilon: f32', 'size: u32'],
  code: /* wgsl */ `${pixel}
    ${wgslMain(/* wgsl */ `
      if (index >= uniforms.size) { return; }
      let residual = residualOf(index);
      let slope = weightOf(index) * upstream[0] * factors[index / uniforms.pixels] / lengthOf(residual);
      for (var c = 0u; c < 3u; c++) { toRendered[3u * index + c] = slope * residual[c]; }`)}`,
}

/** The loss and the factors of the pictures. */
export function colorResidualOnGpu(
  backend: KernelBackend,
  inputs: TensorInfo[],
  { epsilon }: Attributes,
): TensorInfo[] {
  const [batch, height, width] = inputs[0].shape
  const pixels = height * width
  const blocks = Math.ceil(pixels / BLOCK)
  const parts = makeGpuTensor(backend, [batch, blocks, 2], 'float32')
  const outputs = [[], [batch]].map((shape) => makeGpuTensor(backend, shape, 'float32'))
  runGpuProgram(backend, partsProgram, {
    inputs,
    outputs: [parts],
    uniforms: [pixels, inputs[4].shape[0] > 0 ? 1 : 0, epsilon],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, sumProgram, {
    inputs: [parts],
    outputs,
    uniforms: [batch, blocks],
    workgroups: [1],
  })
  backend.disposeData(parts.dataId)
  return outputs
}

/** Gradient of `rendered`. */
export function colorResidualGradientOnGpu(
  backend: KernelBackend,
  inputs: TensorInfo[],
  { epsilon }: Attributes,
): TensorInfo[] {
  const [batch, height, width] = inputs[0].shape
  const size = batch * height * width
  const output = makeGpuTensor(backend, inputs[0].shape, 'float32')
  runGpuProgram(backend, gradientProgram, {
    inputs,
    outputs: [output],
    uniforms: [height * width, inputs[4].shape[0] > 0 ? 1 : 0, epsilon, size],
    workgroups: workgroupsFor(size, 64),
  })
  return [output]
}
