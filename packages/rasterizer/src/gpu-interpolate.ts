import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { makeOutput, runProgram, type GpuProgram } from './gpu-program.js'
import { scatter, scatterProgram } from './gpu-scatter.js'

/** `pixels` are those of one picture, `stride` the numbers of one picture's attributes, 0 when they are shared. */
const uniforms = ['pixels', 'stride', 'channels']

const program: GpuProgram = {
  name: 'facekit_interpolate',
  inputs: ['values', 'barycentrics', 'ids', 'triangles'],
  uniforms,
  code: /* wgsl */ `
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let q = index / uniforms.channels;
      let id = ids[q];
      var value = 0.0;
      if (id >= 0) {
        let base = q / uniforms.pixels * uniforms.stride + index % uniforms.channels;
        for (var i = 0; i < 3; i++) {
          value += f32(barycentrics[3 * q + i]) * f32(values[base + triangles[3 * id + i] * uniforms.channels]);
        }
      }
      result[index] = value;
    }`,
}

const barycentricsProgram: GpuProgram = {
  name: 'facekit_interpolate_barycentrics',
  inputs: ['values', 'ids', 'upstream', 'triangles'],
  uniforms,
  code: /* wgsl */ `
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let q = index / 3;
      let id = ids[q];
      var value = 0.0;
      if (id >= 0) {
        let base = q / uniforms.pixels * uniforms.stride + triangles[3 * id + index % 3] * uniforms.channels;
        for (var k = 0; k < uniforms.channels; k++) {
          value += f32(upstream[q * uniforms.channels + k]) * f32(values[base + k]);
        }
      }
      result[index] = value;
    }`,
}

const valuesProgram = scatterProgram(
  'facekit_interpolate_values',
  ['barycentrics', 'ids', 'upstream', 'triangles'],
  uniforms,
  /* wgsl */ `
    fn contribute(index : i32) {
      let q = index / uniforms.channels;
      let id = ids[q];
      if (id < 0) { return; }
      let base = q / uniforms.pixels * uniforms.stride + index % uniforms.channels;
      for (var i = 0; i < 3; i++) {
        emit(base + triangles[3 * id + i] * uniforms.channels, f32(barycentrics[3 * q + i]) * f32(upstream[index]));
      }
    }`,
)

interface Attributes {
  triangles: Int32Array
  /** Shape of the attributes. */
  shape: number[]
}

const uniformsOf = (ids: TensorInfo, [batch, count, channels]: number[]): number[] => [
  ids.shape[1] * ids.shape[2],
  batch === 1 ? 0 : count * channels,
  channels,
]

/** `interpolate` on WebGPU. */
export function interpolateOnGpu(
  backend: KernelBackend,
  [values, barycentrics, ids]: TensorInfo[],
  { triangles, shape }: Attributes,
): TensorInfo[] {
  const output = makeOutput(backend, [...ids.shape, shape[2]], 'float32')
  const inputs = [values, barycentrics, ids, uploadOnce(backend, triangles)]
  const threads = util.sizeFromShape(output.shape)
  return [runProgram(backend, program, inputs, uniformsOf(ids, shape), threads, output)]
}

/** Gradient of the barycentrics, `[B, H, W, 3]`. */
export function interpolateBarycentricsGradientOnGpu(
  backend: KernelBackend,
  [values, ids, upstream]: TensorInfo[],
  { triangles, shape }: Attributes,
): TensorInfo[] {
  const output = makeOutput(backend, [...ids.shape, 3], 'float32')
  const inputs = [values, ids, upstream, uploadOnce(backend, triangles)]
  const threads = util.sizeFromShape(output.shape)
  return [runProgram(backend, barycentricsProgram, inputs, uniformsOf(ids, shape), threads, output)]
}

/** Gradient of the attributes. */
export function interpolateAttributesGradientOnGpu(
  backend: KernelBackend,
  [barycentrics, ids, upstream]: TensorInfo[],
  { triangles, shape }: Attributes,
): TensorInfo[] {
  const inputs = [barycentrics, ids, upstream, uploadOnce(backend, triangles)]
  const threads = util.sizeFromShape(upstream.shape)
  return [scatter(backend, valuesProgram, inputs, uniformsOf(ids, shape), threads, 3, shape)]
}
