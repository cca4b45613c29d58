import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { slice_util, util, type KernelBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelArguments, type KernelInputs } from '../tfjs/typed-kernel.js'
import { GROUP, GROUP_PARAMETERS, isHalf, likeMemory, storage, vectorType } from './columns.js'

/* Contributor notes
 *
 * Concatenation, slices and padding move blocks of memory, in which the stock kernels look up the place of each number by itself. Along one axis
 * they are copies of rows, `[outer, run]`, from one stride to another; padding of pictures leaves their channels together. Both go
 * four numbers at a time.
 */

type ConcatArguments = KernelArguments<TensorInfo[], { axis: number }>
type SliceArguments = KernelArguments<
  KernelInputs<'x'>,
  { begin: number | number[]; size: number | number[] }
>
type PadArguments = KernelArguments<
  KernelInputs<'x'>,
  { paddings: [number, number][]; constantValue: number }
>

/** Below this size the stock kernels do as well, and know how to do it on the CPU for numbers that lie there. */
const LARGE = 16_384

/** Makes Concat, Slice along one axis and PadV2 of pictures copy four numbers at a time on WebGPU. */
export function registerGpuCopies(): void {
  replace('Concat', concat)
  replace('Slice', slice)
  replace('PadV2', pad)
}

/** @param kernel - gives nothing where the one before must do it */
function replace<Inputs, Attributes>(
  name: string,
  kernel: (args: KernelArguments<Inputs, Attributes>) => TensorInfo | undefined,
): void {
  replaceTypedKernel<Inputs, Attributes>(name, 'webgpu', (before) => (args) => kernel(args) ?? before(args))
}

const product = (sizes: readonly number[]) => sizes.reduce((n, size) => n * size, 1)
const isFloat = ({ dtype }: TensorInfo) => dtype === 'float32'

function concat({ inputs, attrs, backend }: ConcatArguments): TensorInfo | undefined {
  const parts = Object.values(inputs).filter(({ shape }) => util.sizeFromShape(shape) > 0)
  if (parts.length < 2 || !parts.every(isFloat)) return undefined
  const { shape } = parts[0]
  const axis = util.parseAxisParam(attrs.axis, shape)[0]
  const inner = product(shape.slice(axis + 1))
  const runs = parts.map((part) => part.shape[axis] * inner)
  const run = runs.reduce((sum, n) => sum + n, 0)
  const outer = product(shape.slice(0, axis))
  if (outer * run < LARGE) return undefined
  const load = runs.every((n) => n % 4 === 0) ? 4 : 1
  const outShape = shape.map((size, i) => (i === axis ? run / inner : size))
  const result = makeGpuTensor(backend, outShape, 'float32')
  let offset = 0
  for (const [i, part] of parts.entries()) {
    copyRows(backend, load, part, result, [outer, runs[i], runs[i], 0, run, offset])
    offset += runs[i]
  }
  return result
}

function slice({ inputs: { x }, attrs: { begin, size }, backend }: SliceArguments): TensorInfo | undefined {
  const [starts, sizes] = slice_util.parseSliceParams(withRank(x), begin, size)
  const cut = [...x.shape.keys()].filter((axis) => sizes[axis] !== x.shape[axis])
  if (cut.length !== 1 || !isFloat(x) || product(sizes) < LARGE) return undefined
  const [axis] = cut
  const inner = product(x.shape.slice(axis + 1))
  const [run, stride, offset] = [sizes[axis], x.shape[axis], starts[axis]].map((n) => n * inner)
  const outer = product(x.shape.slice(0, axis))
  const load = [run, stride, offset].every((n) => n % 4 === 0) ? 4 : 1
  const result = makeGpuTensor(backend, sizes, 'float32')
  copyRows(backend, load, x, result, [outer, run, stride, offset, run, 0])
  return result
}

/** As tfjs' functions of slices want it: of a tensor they read shape and rank only. */
const withRank = (x: TensorInfo) => Object.assign(Object.create(null), x, { rank: x.shape.length }) as Tensor

/** @param layout - rows, their length, stride and offset in the source, stride and offset in the target */
function copyRows(
  backend: KernelBackend,
  load: 1 | 4,
  source: TensorInfo,
  target: TensorInfo,
  [rows, length, ...places]: [number, number, number, number, number, number],
): void {
  const count = (rows * length) / load
  runGpuProgram(backend, rowProgram(load), {
    inputs: [source],
    outputs: [target],
    uniforms: [count, ...[length, ...places].map((n) => n / load)],
    workgroups: workgroupsFor(count, 256),
  })
}

const rowProgram = (load: 1 | 4): GpuProgram => ({
  name: `facekit_copy_rows_${load}`,
  inputs: [`source: ${vectorType(load)}`],
  outputs: [`result: ${vectorType(load)}`],
  uniforms: ['count', 'length', 'fromStride', 'fromOffset', 'toStride', 'toOffset'].map(
    (name) => `${name}: u32`,
  ),
  code: /* wgsl */ `
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * 256u + local;
      if (index >= uniforms.count) { return; }
      let row = index / uniforms.length;
      let column = index - row * uniforms.length;
      result[row * uniforms.toStride + uniforms.toOffset + column] =
        source[row * uniforms.fromStride + uniforms.fromOffset + column];
    }`,
})

function pad({ inputs: { x }, attrs, backend }: PadArguments): TensorInfo | undefined {
  const { paddings, constantValue } = attrs
  const outShape = x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1])
  const last = x.shape.length - 1
  const whole = last === 3 && paddings[last].every((n) => n === 0) && x.shape[last] % 4 === 0
  if (!whole || !isFloat(x) || util.sizeFromShape(x.shape) === 0 || product(outShape) < LARGE)
    return undefined
  const result = makeGpuTensor(backend, outShape, likeMemory(backend, x))
  const count = product(outShape) / 4
  runGpuProgram(backend, padProgram(isHalf(backend, x)), {
    inputs: [x],
    outputs: [result],
    uniforms: [
      count,
      ...x.shape.slice(0, 3),
      outShape[1],
      outShape[2],
      x.shape[3] / 4,
      ...paddings.slice(0, 3).map(([before]) => before),
      constantValue,
    ],
    workgroups: workgroupsFor(count, 256),
  })
  return result
}

const padProgram = (half: boolean): GpuProgram => ({
  name: `facekit_pad${half ? '_half' : ''}`,
  inputs: [`x: ${storage(4, half).type}`],
  outputs: [`result: ${storage(4, half).type}`],
  uniforms: [
    'count: u32',
    ...['batches', 'height', 'width', 'outHeight', 'outWidth', 'columns', 'front', 'top', 'left'].map(
      (name) => `${name}: i32`,
    ),
    'constant: f32',
  ],
  code: /* wgsl */ `
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * 256u + local;
      if (index >= uniforms.count) { return; }
      let channel = i32(index) % uniforms.columns;
      let pixel = i32(index) / uniforms.columns;
      let column = pixel % uniforms.outWidth - uniforms.left;
      let row = (pixel / uniforms.outWidth) % uniforms.outHeight - uniforms.top;
      let batch = pixel / (uniforms.outWidth * uniforms.outHeight) - uniforms.front;
      var value = vec4<f32>(uniforms.constant);
      if (column >= 0 && column < uniforms.width && row >= 0 && row < uniforms.height
        && batch >= 0 && batch < uniforms.batches) {
        value = ${storage(4, half).read('x[((batch * uniforms.height + row) * uniforms.width + column) * uniforms.columns + channel]')};
      }
      result[index] = ${storage(4, half).write('value')};
    }`,
})
