import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelInputs } from '../tfjs/typed-kernel.js'
import { GROUP, GROUP_PARAMETERS, powerOfTwo } from './columns.js'
import { isNaNCode } from './nan.js'

/** Replaces ArgMax and ArgMin of the WebGPU backend: of equal numbers the first one's index, as on the other backends; the stock
 * kernels give any of them along long axes. */
export function registerGpuArgExtrema(): void {
  for (const name of ['ArgMax', 'ArgMin'] as const) {
    replaceTypedKernel<KernelInputs<'x'>, { axis: number | number[] }>(name, 'webgpu', (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const [axis] = util.parseAxisParam(attrs.axis, inputs.x.shape)
      if (util.sizeFromShape(inputs.x.shape) === 0) return stock(args)
      return argExtremum(backend, inputs.x, axis, name)
    })
  }
}

function argExtremum(
  backend: KernelBackend,
  x: TensorInfo,
  axis: number,
  name: 'ArgMax' | 'ArgMin',
): TensorInfo {
  const shape = x.shape.filter((_, i) => i !== axis)
  const result = makeGpuTensor(backend, shape, 'int32')
  const size = x.shape[axis]
  const inner = util.sizeFromShape(x.shape.slice(axis + 1))
  const results = util.sizeFromShape(shape)
  const threads = Math.min(256, powerOfTwo(size))
  runGpuProgram(backend, program(name, x.dtype === 'float32' ? 'f32' : 'i32', threads), {
    inputs: [x],
    outputs: [result],
    uniforms: [results, size, inner],
    workgroups: workgroupsFor(results, 1),
  })
  return result
}

/** A workgroup for each result. */
const program = (name: 'ArgMax' | 'ArgMin', scalar: 'f32' | 'i32', threads: number): GpuProgram => ({
  name: `facekit_${name.toLowerCase()}_${scalar}_${threads}`,
  inputs: [`x: ${scalar}`],
  outputs: ['result: i32'],
  uniforms: ['results: u32', 'size: u32', 'inner: u32'],
  code: () => {
    const sign = name === 'ArgMax' ? '>' : '<'
    const nan = (value: string) => (scalar === 'f32' ? isNaNCode(value, 'f32') : 'false')
    return /* wgsl */ `
      var<workgroup> values: array<${scalar}, ${threads}>;
      var<workgroup> places: array<u32, ${threads}>;
      /** Whether a number, which is no NaN, beats another one, which may be. */
      fn beats(value: ${scalar}, place: u32, other: ${scalar}, otherPlace: u32) -> bool {
        if (${nan('value')}) { return false; }
        return ${nan('other')} || value ${sign} other || (value == other && place < otherPlace);
      }
      @compute @workgroup_size(${threads})
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let index = min(group, uniforms.results - 1u);
        let outer = index / uniforms.inner;
        let begin = outer * uniforms.size * uniforms.inner + index - outer * uniforms.inner;
        // Threads past the end start with the first number, which changes nothing.
        var place = select(0u, local, local < uniforms.size);
        var best = x[begin + place * uniforms.inner];
        for (var i = local + ${threads}u; i < uniforms.size; i += ${threads}u) {
          let value = x[begin + i * uniforms.inner];
          if (beats(value, i, best, place)) { best = value; place = i; }
        }
        values[local] = best;
        places[local] = place;
        workgroupBarrier();
        for (var step = ${threads >> 1}u; step > 0u; step /= 2u) {
          if (local < step && beats(values[local + step], places[local + step], values[local], places[local])) {
            values[local] = values[local + step];
            places[local] = places[local + step];
          }
          workgroupBarrier();
        }
        if (local == 0u && group < uniforms.results) {
          // Where the first number is NaN nothing compares with it, as on the CPU.
          let first = x[begin];
          result[index] = select(i32(places[0]), 0, ${nan('first')});
        }
      }`
  },
})
