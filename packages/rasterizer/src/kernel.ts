import {
  engine,
  getGradient,
  getKernel,
  registerGradient,
  registerKernel,
  type GradConfig,
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { BackendError, computeOnHost, type HostArray, type OutputSpec } from '@facekit/core'

/** An operation of this package: how it runs on a backend, and its gradient. */
export interface Kernel<Attributes extends object> {
  name: string
  /** Names of the inputs, in the order in which `compute` gets them. */
  inputs: readonly string[]
  outputs(shapes: readonly number[][], attributes: Attributes): OutputSpec[]
  /** Fills every element of the outputs; must not make tensors. `infos` are the inputs' shapes and identities. */
  compute(
    inputs: HostArray[],
    outputs: HostArray[],
    infos: readonly TensorInfo[],
    attributes: Attributes,
  ): void
  /** Runs on WebGPU, whose memory cannot be read synchronously. */
  webgpu?: (backend: KernelBackend, inputs: TensorInfo[], attributes: Attributes) => TensorInfo[]
  gradient?: Omit<GradConfig, 'kernelName'>
}

/** Runs a kernel on the current backend; registers it there, with its gradient, when it is first used. */
export function runKernel<Attributes extends object>(
  kernel: Kernel<Attributes>,
  inputs: NamedTensorMap,
  attributes: Attributes,
): Tensor[] {
  const backendName = engine().backendName
  if (getKernel(kernel.name, backendName) === undefined) register(kernel, backendName)
  if (kernel.gradient !== undefined && getGradient(kernel.name) === undefined) {
    registerGradient({ kernelName: kernel.name, ...kernel.gradient })
  }
  const result = engine().runKernel(kernel.name, inputs, attributes as NamedAttrMap) as Tensor | Tensor[]
  return Array.isArray(result) ? result : [result]
}

function register<Attributes extends object>(kernel: Kernel<Attributes>, backendName: string): void {
  registerKernel({
    kernelName: kernel.name,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const attributes = attrs as unknown as Attributes
      const infos = kernel.inputs.map((name) => inputs[name] as TensorInfo)
      if (backendName === 'webgpu') {
        if (kernel.webgpu !== undefined) return kernel.webgpu(backend as KernelBackend, infos, attributes)
        throw new BackendError(
          `${kernel.name} has no kernel for the webgpu backend; use wasm, cpu or tensorflow (tf.setBackend('wasm'))`,
        )
      }
      const shapes = infos.map((info) => info.shape)
      return computeOnHost(backend as KernelBackend, infos, kernel.outputs(shapes, attributes), (ins, outs) =>
        kernel.compute(ins, outs, infos, attributes),
      )
    },
  })
}
