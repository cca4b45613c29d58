import {
  defineKernel,
  float32,
  type GpuProgram,
  type HostArray,
  runGpuProgram,
  workgroupsFor,
} from '@facekit/kernels'
import { reluGradientOnWasm } from '../wasm/activations.js'
import { util, zerosLike, type Tensor } from '@tensorflow/tfjs-core'
import { keepNaN } from '../webgpu/nan.js'
import {
  GROUP,
  GROUP_PARAMETERS,
  isHalf,
  likeMemory,
  loadWidth,
  storage,
  vectorType,
} from '../webgpu/columns.js'

export type ActivationName = 'relu' | 'sigmoid' | 'tanh'

/** Derivatives of activations, by what came out of them. */
interface Activation {
  /** WGSL of the incoming gradient `dy`, of type `T`, times the derivative at the output `y`. */
  wgsl: string
  compute(dy: HostArray, y: HostArray, result: HostArray, parameter: number): void
}

const activations: Record<ActivationName, Activation> = {
  /** Of Relu, and of Relu6: up to the parameter. */
  relu: {
    wgsl: 'select(T(0), dy, (y > T(0)) & (y < T(uniforms.parameter)))',
    compute: (dy, y, result, parameter) => {
      if (reluGradientOnWasm(dy, y, result, parameter)) return
      for (let i = 0; i < result.length; i++) {
        const passes = y[i] > 0 && y[i] < parameter
        result[i] = passes ? dy[i] : Number.isNaN(y[i]) ? NaN : 0
      }
    },
  },
  sigmoid: {
    wgsl: 'dy * y * (1.0 - y)',
    compute: (dy, y, result) => {
      for (let i = 0; i < result.length; i++) result[i] = dy[i] * y[i] * (1 - y[i])
    },
  },
  tanh: {
    wgsl: 'dy * (1.0 - y * y)',
    compute: (dy, y, result) => {
      for (let i = 0; i < result.length; i++) result[i] = dy[i] * (1 - y[i] * y[i])
    },
  },
}

interface Attributes {
  parameter: number
}

/** Beyond all numbers. WGSL has no infinity. */
export const UNBOUNDED = 3.4e38

const kernels = {
  relu: kernelOf('relu'),
  sigmoid: kernelOf('sigmoid'),
  tanh: kernelOf('tanh'),
}

/** The gradient of an activation from that of its output, in one pass.
 *
 * @param y - what came out of the activation
 * @param parameter - of `relu`: what it stops at
 */
export function activationGradient(
  name: ActivationName,
  dy: Tensor,
  y: Tensor,
  parameter = UNBOUNDED,
): Tensor {
  return kernels[name]({ dy, y }, { parameter })
}

function kernelOf(name: ActivationName) {
  const { wgsl, compute } = activations[name]
  return defineKernel({
    name: `Facekit${name[0].toUpperCase()}${name.slice(1)}Gradient`,
    inputs: { dy: 'float32', y: 'float32' },
    outputs: ({ y }) => ({ result: float32(y) }),
    saves: ['y'],
    cpu: ({ dy, y }, { result }, _, { parameter }: Attributes) => compute(dy, y, result, parameter),
    webgpuMemory: (backend, { y }) => ({ result: likeMemory(backend, y) }),
    webgpu: (backend, { dy, y }, { result }, { parameter }) => {
      const size = util.sizeFromShape(y.shape)
      const load = loadWidth(size)
      runGpuProgram(backend, programOf(name, wgsl, load, isHalf(backend, result)), {
        inputs: [dy, y],
        outputs: [result],
        uniforms: [size / load, parameter],
        workgroups: workgroupsFor(size / load, 256),
      })
    },
    gradient: ({ upstream, saved, attributes }) => ({
      dy: () => activationGradient(name, upstream.result, saved.y, attributes.parameter),
      // tfjs does not differentiate through outputs that were kept: this is for relu, whose derivative is constant.
      y: () => zerosLike(saved.y),
    }),
  })
}

function programOf(name: ActivationName, wgsl: string, load: 1 | 4, half: boolean): GpuProgram {
  const { type, read, write } = storage(load, half)
  return {
    name: `facekit_${name}_gradient_${load}${half ? '_half' : ''}`,
    inputs: [`dys: ${type}`, `ys: ${type}`],
    outputs: [`result: ${type}`],
    uniforms: ['size: u32', 'parameter: f32'],
    code: /* wgsl */ `
      @compute @workgroup_size(256)
      fn main(${GROUP_PARAMETERS}) {
        ${GROUP}
        let index = group * 256u + local;
        if (index >= uniforms.size) { return; }
        let dy = ${read('dys[index]')};
        let y = ${read('ys[index]')};
        result[index] = ${write(keepNaN('y', wgsl.replaceAll(/\bT\b/g, vectorType(load)), vectorType(load)))};
      }`,
  }
}
