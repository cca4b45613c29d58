import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelArguments, type KernelInputs } from '../tfjs/typed-kernel.js'
import { GROUP, GROUP_PARAMETERS, isHalf } from './columns.js'

/** Adds two tensors that lie in memory as halves into one that does: residuals, and gradients of what two operations read. */
export function registerHalfSums(): void {
  replaceTypedKernel<KernelInputs<'a' | 'b'>, unknown>('Add', 'webgpu', (before) => (args) => {
    const { inputs, backend } = args
    const { a, b } = inputs
    const fits = util.arraysEqual(a.shape, b.shape) && isHalf(backend, a) && isHalf(backend, b)
    return fits ? sum(args, a.shape) : before(args)
  })
}

function sum(
  { inputs: { a, b }, backend }: KernelArguments<KernelInputs<'a' | 'b'>, unknown>,
  shape: number[],
): TensorInfo {
  const result = makeGpuTensor(backend, shape, 'float16')
  const quads = util.sizeFromShape(shape) / 4
  runGpuProgram(backend, program, {
    inputs: [a, b],
    outputs: [result],
    uniforms: [quads],
    workgroups: workgroupsFor(quads, 256),
  })
  return result
}

const program: GpuProgram = {
  name: 'facekit_add_half',
  inputs: ['a: half4', 'b: half4'],
  outputs: ['result: half4'],
  uniforms: ['quads: u32'],
  code: /* wgsl */ `
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * 256u + local;
      if (index < uniforms.quads) { result[index] = narrow4(widen4(a[index]) + widen4(b[index])); }
    }`,
}
