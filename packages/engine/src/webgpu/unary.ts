import { type GpuProgram, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelInputs } from '../tfjs/typed-kernel.js'
import { GROUP, GROUP_PARAMETERS, isHalf, likeMemory, loadWidth, storage, vectorType } from './columns.js'
import { keepNaN } from './nan.js'

/** Functions of one number, as WGSL of `x` of the type `T`, by the name of their kernel. */
const functions: Record<string, string> = {
  Abs: 'abs(x)',
  Elu: 'select(exp(x) - 1.0, x, x >= T(0))',
  Exp: 'exp(x)',
  LeakyRelu: 'select(x, x * uniforms.alpha, x < T(0))',
  Neg: '-x',
  Reciprocal: '1.0 / x',
  Relu: 'max(x, T(0))',
  Relu6: 'clamp(x, T(0), T(6))',
  Rsqrt: 'inverseSqrt(x)',
  // Constants of Klambauer et al., "Self-Normalizing Neural Networks", 2017.
  Selu: 'select(1.7580993408473768 * (exp(x) - 1.0), 1.0507009873554805 * x, x >= T(0))',
  Sigmoid: '1.0 / (1.0 + exp(-x))',
  // Beyond 13.94 the difference to x, or to exp(x), is less than a rounding.
  Softplus: 'select(select(log(exp(x) + 1.0), exp(x), x < T(-13.94)), x, x > T(13.94))',
  Sqrt: 'sqrt(x)',
  Square: 'x * x',
  Step: 'select(T(uniforms.alpha), T(1), x > T(0))',
  Tanh: 'sign(x) * (1.0 - exp(-2.0 * abs(x))) / (1.0 + exp(-2.0 * abs(x)))',
}

/** What the stock kernels can do on the CPU, for a few numbers that lie there. */
const ON_CPU = new Set(['Abs', 'Exp', 'Rsqrt'])

/** Makes functions of one number keep NaN on WebGPU, and read and write four of them at a time: twice as fast. */
export function registerGpuUnaries(): void {
  for (const [name, code] of Object.entries(functions)) {
    const programs = {
      1: program(name, code, 1, false),
      4: program(name, code, 4, false),
      half: program(name, code, 4, true),
    }
    replaceTypedKernel<KernelInputs<'x'>, { alpha?: number }>(name, 'webgpu', (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const { x } = inputs
      const size = util.sizeFromShape(x.shape)
      if (x.dtype !== 'float32' || size === 0 || (ON_CPU.has(name) && liesOnCpu(backend, x)))
        return stock(args)
      const load = loadWidth(size)
      const half = isHalf(backend, x)
      const result = makeGpuTensor(backend, x.shape, likeMemory(backend, x))
      runGpuProgram(backend, half ? programs.half : programs[load], {
        inputs: [x],
        outputs: [result],
        uniforms: [size / load, attrs?.alpha ?? 0],
        workgroups: workgroupsFor(size / load, 256),
      })
      return result
    })
  }
}

/** Whether the stock kernels compute with these numbers on the CPU. */
const liesOnCpu = (backend: KernelBackend, x: TensorInfo) => (backend as StockBackend).shouldExecuteOnCPU([x])

/** The part of tfjs' `WebGPUBackend` that decides it. */
interface StockBackend extends KernelBackend {
  shouldExecuteOnCPU(inputs: TensorInfo[]): boolean
}

function program(name: string, code: string, load: 1 | 4, half: boolean): GpuProgram {
  const { type, read, write } = storage(load, half)
  return {
    name: `facekit_${name.toLowerCase()}_${load}${half ? '_half' : ''}`,
    inputs: [`xs: ${type}`],
    outputs: [`result: ${type}`],
    uniforms: ['size: u32', 'alpha: f32'],
    code: /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let index = group * 256u + local;
        if (index >= uniforms.size) { return; }
        let x = ${read('xs[index]')};
        result[index] = ${write(keepNaN('x', code.replaceAll(/\bT\b/g, vectorType(load)), vectorType(load)))};
      }`,
  }
}
