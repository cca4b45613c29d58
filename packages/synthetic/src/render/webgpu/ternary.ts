import { type GpuProgram, runGpuProgram, wgslMain, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'

type Operand = 'a' | 'b' | 'c'
const OPERANDS: readonly Operand[] = ['a', 'b', 'c']

/** A program for each channel of each pixel.
 *
 * @param code - WGSL of x, y and z, the numbers of the three operands
 */
export const ternaryProgram = (name: string, code: string): GpuProgram => ({
  name: `facekit_${name}`,
  inputs: OPERANDS.map((operand) => `${operand}: f32`),
  outputs: ['result: f32'],
  uniforms: [
    'size: u32',
    'pixels: u32',
    'channels: u32',
    ...OPERANDS.flatMap((operand) => [`${operand}0: u32`, `${operand}1: u32`, `${operand}2: u32`]),
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
    ${code}`),
})

/** `[B, H, W, C]` with ones where a tensor is broadcast; tensors may have fewer dimensions, of which C is the last. */
const padded = (shape: readonly number[]) => [...Array.from({ length: 4 - shape.length }, () => 1), ...shape]

/** The shape of a result: that of the largest in each dimension. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): [number, number, number, number] {
  const all = shapes.map(padded)
  const largest = (axis: number) => Math.max(...all.map((shape) => shape[axis]))
  return [largest(0), largest(1), largest(2), largest(3)]
}

/** Steps in memory from picture to picture, pixel to pixel, channel to channel: 0 along what is broadcast. */
function stepsOf(shape: readonly number[]): [picture: number, pixel: number, channel: number] {
  const [batch, height, width, channels] = padded(shape)
  const pixels = height * width
  return [batch > 1 ? pixels * channels : 0, pixels > 1 ? channels : 0, channels > 1 ? 1 : 0]
}

/** Runs a program of `ternaryProgram`. */
export function runTernary(
  backend: KernelBackend,
  program: GpuProgram,
  operands: Readonly<Record<Operand, TensorInfo>>,
  { result }: { result: TensorInfo },
): void {
  const inputs = OPERANDS.map((operand) => operands[operand])
  const [, height, width, channels] = result.shape
  const size = util.sizeFromShape(result.shape)
  runGpuProgram(backend, program, {
    inputs,
    outputs: [result],
    uniforms: [size, height * width, channels, ...inputs.flatMap(({ shape }) => stepsOf(shape))],
    workgroups: workgroupsFor(size, 64),
  })
}
