import { getKernel, type KernelConfig, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core'
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { registerWasmKernel } from './wasm-kernel.js'

type Values = Float32Array | Int32Array | Uint8Array

/** Lets a kernel of the CPU backend do the work on the WASM backend: slow, right, one copy each way.
 *
 * @param cpu - an instance of the CPU backend of our own: the user's one may not exist
 */
export function registerCpuFallback(name: string, cpu: MathBackendCPU): void {
  const kernel = getKernel(name, 'cpu')
  const stock: KernelConfig | undefined = getKernel(name, 'wasm')
  registerWasmKernel<string, NamedAttrMap>(
    name,
    ({ inputs, attrs, backend }) => {
      const lent: Record<string, TensorInfo> = {}
      for (const [key, tensor] of Object.entries(inputs)) {
        const values = backend.readSync(tensor.dataId) as Values
        // Some kernels ask for the rank, which tensors have and their descriptions do not.
        lent[key] = Object.assign(cpu.makeTensorInfo(tensor.shape, tensor.dtype, values), {
          rank: tensor.shape.length,
        })
      }
      const result = kernel.kernelFunc({ inputs: lent, attrs, backend: cpu })
      const outputs = (Array.isArray(result) ? result : [result]).map((output) =>
        giveBack(output, cpu, backend),
      )
      for (const tensor of Object.values(lent)) cpu.disposeData(tensor.dataId)
      return (Array.isArray(result) ? outputs : outputs[0]) as TensorInfo
    },
    stock,
  )
}

function giveBack(output: TensorInfo, cpu: MathBackendCPU, backend: BackendWasm): TensorInfo {
  const values = cpu.readSync(output.dataId) as Values
  const { shape, dtype } = output
  const copied = backend.makeOutput(shape, dtype, undefined, values)
  cpu.disposeData(output.dataId)
  return copied
}
