import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelInputs } from '../tfjs/typed-kernel.js'
import { GROUP, GROUP_PARAMETERS } from './columns.js'

/** Functions of one number, as WGSL of a vector `x`, by the name of their kernel. */
const functions: Record<string, string> = {
  Abs: 'abs(x)',
  Elu: 'select(exp(x) - 1.0, x, x >= vec4<f32>(0))',
  Exp: 'exp(x)',
  LeakyRelu: 'select(x, x * uniforms.alpha, x < vec4<f32>(0))',
  Neg: '-x',
  Reciprocal: '1.0 / x',
  // Written so that NaN goes through.
  Relu: 'select(x, vec4<f32>(0), x < vec4<f32>(0))',
  Relu6: 'clamp(x, vec4<f32>(0), vec4<f32>(6))',
  Rsqrt: 'inverseSqrt(x)',
  Sigmoid: '1.0 / (1.0 + exp(-x))',
  Sqrt: 'sqrt(x)',
  Square: 'x * x',
  // Where NaN stays what it is.
  Step: 'select(select(vec4<f32>(uniforms.alpha), vec4<f32>(1), x > vec4<f32>(0)), x, (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u))',
  Tanh: 'sign(x) * (1.0 - exp(-2.0 * abs(x))) / (1.0 + exp(-2.0 * abs(x)))',
}

/** Below this size the stock kernel does as well, and knows how to do it on the CPU for numbers that lie there. */
const LARGE = 16_384

/** Makes functions of one number read and write four of them at a time on WebGPU: twice as fast. */
export function registerGpuUnaries(): void {
  for (const [name, code] of Object.entries(functions)) {
    const program: GpuProgram = {
      name: `facekit_${name.toLowerCase()}`,
      inputs: ['xs: vec4<f32>'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['size: u32', 'alpha: f32'],
      code: /* wgsl */ `
        @compute @workgroup_size(256)
        fn main(${GROUP_PARAMETERS}) {
          ${GROUP}
          let index = group * 256u + local;
          if (index >= uniforms.size) { return; }
          let x = xs[index];
          result[index] = ${code};
        }`,
    }
    replaceTypedKernel<KernelInputs<'x'>, { alpha?: number }>(name, 'webgpu', (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const size = util.sizeFromShape(inputs.x.shape)
      if (size < LARGE || size % 4 > 0 || inputs.x.dtype !== 'float32') return stock(args)
      const result = makeGpuTensor(backend, inputs.x.shape, 'float32')
      runGpuProgram(backend, program, {
        inputs: [inputs.x],
        outputs: [result],
        uniforms: [size / 4, attrs?.alpha ?? 0],
        workgroups: workgroupsFor(size / 4, 256),
      })
      return result
    })
  }
}
