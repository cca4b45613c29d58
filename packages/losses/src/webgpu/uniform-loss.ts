import {
  type GpuProgram,
  makeGpuTensor,
  runGpuProgram,
  wgslGroupSum,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** Vertices that a workgroup adds up. */
const BLOCK = 512
const SIZE = 64

/** Sums of a block's colours, and of their squares, relative to the picture's first vertex. */
const partsProgram: GpuProgram = {
  name: 'facekit_uniform_parts',
  inputs: ['lit: f32'],
  outputs: ['parts: vec4<f32>'],
  uniforms: ['count: u32'],
  code: /* wgsl */ `${wgslGroupSum(1, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      let first = 3u * group.y * uniforms.count;
      let origin = vec3<f32>(lit[first], lit[first + 1u], lit[first + 2u]);
      for (var k = local; k < ${BLOCK}u; k += ${SIZE}u) {
        let place = group.x * ${BLOCK}u + k;
        if (place >= uniforms.count) { break; }
        let i = first + 3u * place;
        let t = vec3<f32>(lit[i], lit[i + 1u], lit[i + 2u]) - origin;
        own[0] += vec4<f32>(t, dot(t, t));
      }
      let sums = groupSum(local, own);
      if (local == 0u) { parts[group.y * groups.x + group.x] = sums[0]; }`,
      SIZE,
    )}`,
}

/** The loss, and each picture's mean colour. */
const sumProgram: GpuProgram = {
  name: 'facekit_uniform_sum',
  inputs: ['parts: vec4<f32>', 'lit: f32', 'harmonics: f32'],
  outputs: ['loss: f32', 'means: f32'],
  uniforms: ['batch: u32', 'blocks: u32', 'count: u32'],
  code: /* wgsl */ `${wgslGroupSum(1, SIZE)}
    ${wgslMain(
      /* wgsl */ `
      var own: Sums;
      for (var item = local; item < uniforms.batch; item += ${SIZE}u) {
        var sum = vec4<f32>();
        for (var i = 0u; i < uniforms.blocks; i++) { sum += parts[item * uniforms.blocks + i]; }
        let mean = sum.xyz / f32(uniforms.count);
        own[0].x += max(0.0, sum.w / f32(uniforms.count) - dot(mean, mean));
        for (var c = 0u; c < 3u; c++) { means[3u * item + c] = mean[c] + lit[3u * item * uniforms.count + c]; }
        for (var k = 27u * item; k < 27u * item + 27u; k += 3u) {
          let light = vec3<f32>(harmonics[k], harmonics[k + 1u], harmonics[k + 2u]);
          let deviation = light - (light.x + light.y + light.z) / 3.0;
          own[0].x += dot(deviation, deviation);
        }
      }
      let total = groupSum(local, own);
      if (local == 0u) { loss[0] = total[0].x / f32(uniforms.batch); }`,
      SIZE,
    )}`,
}

const gradientProgram: GpuProgram = {
  name: 'facekit_uniform_gradient',
  inputs: ['lit: f32', 'harmonics: f32', 'means: f32', 'upstream: f32'],
  outputs: ['toLit: f32', 'toHarmonics: f32'],
  uniforms: ['batch: u32', 'count: u32'],
  code: wgslMain(/* wgsl */ `
    let factor = 2.0 * upstream[0] / f32(uniforms.batch);
    if (index < uniforms.batch * uniforms.count) {
      let item = index / uniforms.count;
      for (var c = 0u; c < 3u; c++) {
        toLit[3u * index + c] = factor / f32(uniforms.count) * (lit[3u * index + c] - means[3u * item + c]);
      }
    }
    if (index < 9u * uniforms.batch) {
      let i = 3u * index;
      let mean = (harmonics[i] + harmonics[i + 1u] + harmonics[i + 2u]) / 3.0;
      for (var c = 0u; c < 3u; c++) { toHarmonics[i + c] = factor * (harmonics[i + c] - mean); }
    }`),
}

interface UniformTensors {
  readonly lit: TensorInfo
  readonly harmonics: TensorInfo
}

/** Fills the loss and the mean colours. */
export function uniformLossOnGpu(
  backend: KernelBackend,
  { lit, harmonics }: UniformTensors,
  { loss, means }: { readonly loss: TensorInfo; readonly means: TensorInfo },
): void {
  const [batch, count] = lit.shape
  const blocks = Math.ceil(count / BLOCK)
  const parts = makeGpuTensor(backend, [batch, blocks, 4], 'float32')
  runGpuProgram(backend, partsProgram, {
    inputs: [lit],
    outputs: [parts],
    uniforms: [count],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, sumProgram, {
    inputs: [parts, lit, harmonics],
    outputs: [loss, means],
    uniforms: [batch, blocks, count],
    workgroups: [1],
  })
  backend.disposeData(parts.dataId)
}

/** Fills the gradients of lit albedo and harmonics. */
export function uniformLossGradientOnGpu(
  backend: KernelBackend,
  {
    lit,
    harmonics,
    means,
    upstream,
  }: UniformTensors & { readonly means: TensorInfo; readonly upstream: TensorInfo },
  gradients: UniformTensors,
): void {
  const [batch, count] = lit.shape
  runGpuProgram(backend, gradientProgram, {
    inputs: [lit, harmonics, means, upstream],
    outputs: [gradients.lit, gradients.harmonics],
    uniforms: [batch, count],
    workgroups: workgroupsFor(Math.max(batch * count, 9 * batch), 64),
  })
}
