import {
  engine,
  getBackend,
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
import { BackendError } from '@facekit/core'
import { computeOnHost, type HostArray, type OutputSpec } from './host-arrays.js'

/** An operation written as a loop over typed arrays, and, if it has one, as programs of the GPU. */
export interface HostKernel<Attributes extends object = object> {
  /** Unique among all kernels, e.g. `"FacekitVertexNormals"`. */
  name: string
  /** Names of the inputs, in the order in which `compute` gets them. */
  inputs: readonly string[]
  outputs(shapes: readonly number[][], attributes: Attributes): OutputSpec[]
  /** Fills every element of the outputs, which are not cleared; must not make tensors. `infos` identify the inputs. */
  compute(
    inputs: HostArray[],
    outputs: HostArray[],
    shapes: readonly number[][],
    attributes: Attributes,
    infos: readonly TensorInfo[],
  ): void
  /** Makes the outputs on WebGPU, whose memory cannot be read at once. Without it the operation does not run there. */
  webgpu?: (backend: KernelBackend, inputs: TensorInfo[], attributes: Attributes) => TensorInfo[]
  gradient?: Omit<GradConfig, 'kernelName'>
  /** What `gradient.gradFunc` gets for outputs that nothing depends on: tensors of zeros, made on the CPU and uploaded in every
   * backward pass, as tfjs does it, or `undefined`. Default `'zeros'`. */
  missingUpstream?: 'zeros' | 'undefined'
}

const HOST_BACKENDS: readonly string[] = ['cpu', 'wasm', 'tensorflow']

/** Whether the current backend's tensors lie in the CPU's memory, so that `runHostKernel` is the way to go.
 *
 * WebGPU cannot be read synchronously in Node, and a GPU should not be waited for anywhere: there, compose operations.
 */
export function hasHostMemory(): boolean {
  return HOST_BACKENDS.includes(getBackend())
}

/** Runs a loop over typed arrays as an operation of the current backend; registers it there when it is first used.
 *
 * On WASM the arrays are views of the backend's memory: nothing is copied. This is how facekit does in one pass what stock
 * operations would need a dozen of, or what the WASM backend lacks. On backends without host memory the arrays are copies
 * (WebGL), or the kernel's own programs run (WebGPU).
 *
 * @param inputs - a tensor for each name in `kernel.inputs`
 * @returns one tensor for each of `kernel.outputs`
 * @differentiable as `kernel.gradient` says
 * @memory the caller owns the results
 * @throws {BackendError} on WebGPU, when the kernel has no `webgpu`; see `hasHostMemory`
 */
export function runHostKernel<Attributes extends object>(
  kernel: HostKernel<Attributes>,
  inputs: NamedTensorMap,
  attributes: Attributes,
): Tensor[] {
  const { backendName } = engine()
  if (backendName === 'webgpu' && kernel.webgpu === undefined) {
    throw new BackendError(
      `${kernel.name} has no kernel for the ${backendName} backend; use ${HOST_BACKENDS.join(', ')} (tf.setBackend('wasm'))`,
    )
  }
  if (getKernel(kernel.name, backendName) === undefined) register(kernel, backendName)
  if (kernel.gradient !== undefined && getGradient(kernel.name) === undefined) {
    registerGradient({ kernelName: kernel.name, ...kernel.gradient })
  }
  const result = engine().runKernel(kernel.name, inputs, attributes as NamedAttrMap) as Tensor | Tensor[]
  const outputs = Array.isArray(result) ? result : [result]
  if (kernel.missingUpstream === 'undefined') passMissingUpstream(kernel, attributes, outputs)
  return outputs
}

/** A step of the way back, as tfjs' engine keeps it. */
interface TapeNode {
  outputs: Tensor[]
  saved?: Tensor[]
  gradient?: (upstream: (Tensor | null)[]) => ReturnType<GradConfig['gradFunc']>
}

/** Lets the gradient of the operation that was recorded last see which of its outputs matter. tfjs knows it, and puts zeros there. */
function passMissingUpstream<Attributes extends object>(
  { gradient }: HostKernel<Attributes>,
  attributes: Attributes,
  outputs: Tensor[],
): void {
  const node = (engine().state.activeTape as TapeNode[] | undefined)?.at(-1)
  // Nothing was recorded, if nobody wants a gradient.
  if (gradient === undefined || node === undefined || node.outputs[0] !== outputs[0]) return
  const { saved = [] } = node
  node.gradient = (upstream) =>
    gradient.gradFunc(
      upstream.map((tensor) => tensor ?? undefined) as Tensor[],
      saved,
      attributes as NamedAttrMap,
    )
}

function register<Attributes extends object>(kernel: HostKernel<Attributes>, backendName: string): void {
  registerKernel({
    kernelName: kernel.name,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const attributes = attrs as unknown as Attributes
      const infos = kernel.inputs.map((name) => inputs[name] as TensorInfo)
      if (backendName === 'webgpu') return kernel.webgpu!(backend as KernelBackend, infos, attributes)
      const shapes = infos.map((info) => info.shape)
      return computeOnHost(backend as KernelBackend, infos, kernel.outputs(shapes, attributes), (ins, outs) =>
        kernel.compute(ins, outs, shapes, attributes, infos),
      )
    },
  })
}
