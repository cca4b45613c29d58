import {
  type GpuProgram,
  type HostArray,
  computeOnHost,
  makeGpuTensor,
  runGpuProgram,
} from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelArguments } from '../tfjs/typed-kernel.js'
import { likeMemory } from '../webgpu/columns.js'
import { gpuNormalize } from '../webgpu/norm/batch-normalization.js'

interface Inputs {
  x: TensorInfo
  mean: TensorInfo
  variance: TensorInfo
  scale?: TensorInfo
  offset?: TensorInfo
}

interface Attributes {
  varianceEpsilon: number
}

/** Puts `tf.batchNorm` right where its statistics are not one number for each channel: the stock kernels of CPU and WASM take them
 * in the order of memory, or take the first one only. */
export function registerBroadcastBatchNorm(backendName: 'cpu' | 'wasm'): void {
  replaceTypedKernel<Inputs, Attributes>('FusedBatchNorm', backendName, (stock) => (args) => {
    const { x, mean, variance, scale, offset } = args.inputs
    const perChannel = [mean, variance, scale, offset].every((info) => (info?.shape.length ?? 1) === 1)
    return perChannel ? stock(args) : broadcastBatchNorm(args, x.shape)
  })
}

/** Makes `tf.batchNorm` with a number for each channel one pass of vectors of four on WebGPU. */
export function registerGpuBatchNorm(): void {
  replaceTypedKernel<Inputs, Attributes>('FusedBatchNorm', 'webgpu', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    const { x, mean, variance, scale, offset } = inputs
    const channels = x.shape[x.shape.length - 1]
    const perChannel = [mean, variance, scale, offset].every(
      (info) => info === undefined || (info.shape.length === 1 && info.shape[0] === channels),
    )
    if (!perChannel || util.sizeFromShape(x.shape) === 0) return stock(args)
    const made: TensorInfo[] = []
    const constant = (value: number) => {
      const info = makeGpuTensor(backend, [channels], 'float32')
      runGpuProgram(backend, fill, {
        inputs: [],
        outputs: [info],
        uniforms: [channels, value],
        workgroups: [Math.ceil(channels / 64)],
      })
      made.push(info)
      return info
    }
    const result = makeGpuTensor(backend, x.shape, likeMemory(backend, x))
    const normalization = {
      x,
      mean,
      variance,
      scale: scale ?? constant(1),
      offset: offset ?? constant(0),
      epsilon: attrs.varianceEpsilon,
      relu: false,
    }
    gpuNormalize(backend, normalization, result)
    for (const { dataId } of made) backend.disposeData(dataId)
    return result
  })
}

const fill: GpuProgram = {
  name: 'facekit_fill',
  inputs: [],
  outputs: ['result: f32'],
  uniforms: ['size: u32', 'value: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      if (id.x < uniforms.size) { result[id.x] = uniforms.value; }
    }`,
}

function broadcastBatchNorm(
  { inputs, attrs, backend }: KernelArguments<Inputs, Attributes>,
  shape: number[],
): TensorInfo {
  const { x, mean, variance, scale, offset } = inputs
  const given = [mean, variance, scale, offset].filter((info) => info !== undefined)
  const spec = { shape, dtype: 'float32' as const }
  const compute = ([values, ...arrays]: HostArray[], [result]: HostArray[]) => {
    const places = given.map((info) => broadcastPlaces(info.shape, shape))
    const at = (which: TensorInfo | undefined, i: number, otherwise: number) => {
      const k = which === undefined ? -1 : given.indexOf(which)
      return k < 0 ? otherwise : arrays[k][places[k][i]]
    }
    for (let i = 0; i < result.length; i++) {
      const rate = at(scale, i, 1) / Math.sqrt(at(variance, i, 1) + attrs.varianceEpsilon)
      result[i] = (values[i] - at(mean, i, 0)) * rate + at(offset, i, 0)
    }
  }
  return computeOnHost(backend, [x, ...given], [spec], compute)[0]
}

/** For each number of the larger shape the place of the one that is broadcast to it. */
function broadcastPlaces(from: readonly number[], to: readonly number[]): Int32Array {
  let places = Int32Array.of(0)
  let stride = 1
  // From the last axis to the first: what is there repeats for each step of the axis in front.
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const size = from[axis - (to.length - from.length)] ?? 1
    const next = new Int32Array(places.length * to[axis])
    for (let i = 0; i < to[axis]; i++) {
      const offset = size === 1 ? 0 : i * stride
      for (let k = 0; k < places.length; k++) next[i * places.length + k] = places[k] + offset
    }
    places = next
    stride *= size
  }
  return places
}
