import { BackendError } from '@facekit/core'
import {
  type GpuProgram,
  type HostKernel,
  makeGpuTensor,
  runGpuProgram,
  runHostKernel,
  wgslMain,
  workgroupsFor,
} from '@facekit/kernels'
import {
  add,
  clipByValue,
  getBackend,
  mul,
  scalar,
  sub,
  type KernelBackend,
  type Tensor,
  type Tensor4D,
  type TensorInfo,
} from '@tensorflow/tfjs-core'

/* Contributor notes
 *
 * A batch of pictures took 600 element-wise operations, half of the GPU's time, and a third of them were these two: a + (b - a) t, and
 * clip((x - from) slope, 0, 1). As one kernel each they read and write once. The WASM backend's own operations are
 * faster than a loop here.
 */

type Shape = readonly number[]

/** Steps in memory from picture to picture, pixel to pixel, channel to channel: 0 along what is spread. */
interface Steps {
  picture: number
  pixel: number
  channel: number
}

interface Layout {
  batch: number
  pixels: number
  channels: number
}

/** Shapes are `[B, H, W, C]` with ones where they are spread, or shorter ones that end with C. */
function padded(shape: Shape): [number, number, number] {
  const [b, h, w, c] = [...Array.from({ length: 4 - shape.length }, () => 1), ...shape]
  return [b, h * w, c]
}

function layoutOf(shapes: readonly Shape[]): Layout {
  const all = shapes.map(padded)
  const [batch, pixels, channels] = [0, 1, 2].map((axis) => Math.max(...all.map((shape) => shape[axis])))
  return { batch, pixels, channels }
}

function stepsOf(shape: Shape): Steps {
  const [batch, pixels, channels] = padded(shape)
  return {
    picture: batch > 1 ? pixels * channels : 0,
    pixel: pixels > 1 ? channels : 0,
    channel: channels > 1 ? 1 : 0,
  }
}

/** The shape of the result: that of the largest in each dimension. */
const outputShape = (shapes: readonly Shape[]): number[] => {
  const all = shapes.map((shape) => [...Array.from({ length: 4 - shape.length }, () => 1), ...shape])
  return [0, 1, 2, 3].map((axis) => Math.max(...all.map((shape) => shape[axis])))
}

/** A function of three numbers, for each channel of each pixel; WebGPU only. */
function ternaryKernel(name: string, code: string): HostKernel {
  const program: GpuProgram = {
    name: `facekit_${name}`,
    inputs: ['a: f32', 'b: f32', 'c: f32'],
    outputs: ['result: f32'],
    uniforms: [
      'size: u32',
      'pixels: u32',
      'channels: u32',
      ...['a', 'b', 'c'].flatMap((input) => [`${input}0: u32`, `${input}1: u32`, `${input}2: u32`]),
    ],
    code: wgslMain(/* wgsl */ `
      if (index >= uniforms.size) { return; }
      let channel = index % uniforms.channels;
      let row = index / uniforms.channels;
      let pixel = row % uniforms.pixels;
      let picture = row / uniforms.pixels;
      let x = a[picture * uniforms.a0 + pixel * uniforms.a1 + channel * uniforms.a2];
      let y = b[picture * uniforms.b0 + pixel * uniforms.b1 + channel * uniforms.b2];
      let z = c[picture * uniforms.c0 + pixel * uniforms.c1 + channel * uniforms.c2];
      result[index] = ${code};`),
  }
  return {
    name: `Facekit${name[0].toUpperCase()}${name.slice(1)}`,
    inputs: ['a', 'b', 'c'],
    outputs: (shapes) => [{ shape: outputShape(shapes), dtype: 'float32' }],
    compute: () => {
      throw new BackendError(`${name}: this kernel is for the webgpu backend only`)
    },
    webgpu: (backend: KernelBackend, inputs: TensorInfo[]) => {
      const shapes = inputs.map(({ shape }) => shape)
      const result = makeGpuTensor(backend, outputShape(shapes), 'float32')
      const { batch, pixels, channels } = layoutOf(shapes)
      const size = batch * pixels * channels
      const steps = shapes.map(stepsOf).flatMap(({ picture, pixel, channel }) => [picture, pixel, channel])
      runGpuProgram(backend, program, {
        inputs,
        outputs: [result],
        uniforms: [size, pixels, channels, ...steps],
        workgroups: workgroupsFor(size, 64),
      })
      return [result]
    },
  }
}

const blendKernel = ternaryKernel('blend', 'x + (y - x) * z')
const rampKernel = ternaryKernel('ramp', 'clamp((x - y) * z, 0.0, 1.0)')

const run = (kernel: HostKernel, a: Tensor, b: Tensor, c: Tensor) =>
  runHostKernel(kernel, { a, b, c }, {})[0] as Tensor4D

const tensorOf = (value: Tensor | number) => (typeof value === 'number' ? scalar(value) : value)

/** `a` where t is 0, `b` where it is 1. Of each, dimensions of 1 are spread. */
export const blend = (a: Tensor, b: Tensor, t: Tensor): Tensor4D =>
  getBackend() === 'webgpu' ? run(blendKernel, a, b, t) : add(a, mul(sub(b, a), t))

/** 0 below `from`, 1 above `from + 1 / slope`, a straight line between. */
export const ramp = (x: Tensor, from: Tensor | number, slope: Tensor | number): Tensor4D =>
  getBackend() === 'webgpu'
    ? run(rampKernel, x, tensorOf(from), tensorOf(slope))
    : (clipByValue(mul(sub(x, from), slope), 0, 1) as Tensor4D)
