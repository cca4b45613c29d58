import {
  type GpuProgram,
  makeGpuTensor,
  runGpuProgram,
  wgslGroupSum,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { SMALLEST_WEIGHT } from '../weighted-mean.js'
import { WHOLE } from '../whole-pixels.js'

interface ResidualInputs {
  readonly rendered: TensorInfo
  readonly inputImage: TensorInfo
  readonly mask: TensorInfo
  readonly faceRegion: TensorInfo
  /** Missing: all are skin. */
  readonly skinProbability?: TensorInfo | undefined
}

/** Pixels that a workgroup adds up. */
const BLOCK = 1024
const SIZE = 64

const INPUTS = ['rendered: f32', 'inputImage: f32', 'mask: f32', 'faceRegion: f32', 'skinProbability: f32']

const pixel = /* wgsl */ `
  fn weightOf(i: u32) -> f32 {
    let weight = select(faceRegion[i], 0.0, mask[i] < ${WHOLE});
    if (uniforms.withSkin == 0u || skinProbability[i] > 0.5) { return weight; }
    return weight * skinProbability[i];
  }
  fn residualOf(i: u32) -> vec3<f32> {
    return vec3<f32>(rendered[3u * i] - inputImage[3u * i], rendered[3u * i + 1u] - inputImage[3u * i + 1u],
      rendered[3u * i + 2u] - inputImage[3u * i + 2u]);
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

const boundInputs = ({ rendered, inputImage, mask, faceRegion, skinProbability }: ResidualInputs) => [
  rendered,
  inputImage,
  mask,
  faceRegion,
  skinProbability,
]

/** Fills the loss and the factors of the pictures. */
export function colorResidualOnGpu(
  backend: KernelBackend,
  inputs: ResidualInputs,
  { loss, factors }: { readonly loss: TensorInfo; readonly factors: TensorInfo },
  epsilon: number,
): void {
  const [batch, height, width] = inputs.rendered.shape
  const pixels = height * width
  const blocks = Math.ceil(pixels / BLOCK)
  const parts = makeGpuTensor(backend, [batch, blocks, 2], 'float32')
  runGpuProgram(backend, partsProgram, {
    inputs: boundInputs(inputs),
    outputs: [parts],
    uniforms: [pixels, inputs.skinProbability ? 1 : 0, epsilon],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, sumProgram, {
    inputs: [parts],
    outputs: [loss, factors],
    uniforms: [batch, blocks],
    workgroups: [1],
  })
  backend.disposeData(parts.dataId)
}

/** Fills the gradient of `rendered`. */
export function colorResidualGradientOnGpu(
  backend: KernelBackend,
  inputs: ResidualInputs & { readonly factors: TensorInfo; readonly upstream: TensorInfo },
  gradient: TensorInfo,
  epsilon: number,
): void {
  const [batch, height, width] = inputs.rendered.shape
  const size = batch * height * width
  runGpuProgram(backend, gradientProgram, {
    inputs: [...boundInputs(inputs), inputs.factors, inputs.upstream],
    outputs: [gradient],
    uniforms: [height * width, inputs.skinProbability ? 1 : 0, epsilon, size],
    workgroups: workgroupsFor(size, 64),
  })
}
