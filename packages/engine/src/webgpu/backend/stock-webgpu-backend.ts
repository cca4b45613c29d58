import type { BackendValues, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuTensorData } from '@facekit/kernels'
import type { GpuBufferPool } from './buffer-pool.js'

/** A uniform of tfjs' programs: a scalar, or a vector of up to six numbers. */
export interface StockUniform {
  type: string
  data: number[]
}

/** A program of tfjs' WebGPU backend, ready to run. */
export interface StockProgram {
  outputShape: number[]
  dispatch: [number, number, number]
  pipeline: GPUComputePipeline
  /** Set by programs that read from or draw to a canvas. */
  pixelsOpType?: number
  size?: boolean
  outputComponent?: number
}

/** What lies behind the types of `WebGPUBackend` in @tensorflow/tfjs-backend-webgpu 4.22, as far as it is used here. */
export declare abstract class StockWebGPUBackend extends KernelBackend {
  constructor(device: GPUDevice, adapterInfo?: GPUAdapterInfo)
  device: GPUDevice
  queue: GPUQueue
  bufferManager: GpuBufferPool
  tensorMap: { get(dataId: object): GpuTensorData & { refCount: number }; has(dataId: object): boolean }
  protected activeTimers?: { name: string; query: Promise<number> }[]
  protected commandEncoder: GPUCommandEncoder | null
  protected computePassEncoder: GPUComputePassEncoder | null
  protected commandQueueOwnedIds: Pick<WeakSet<object>, 'add' | 'has'>
  protected dispatchCountInPass: number
  protected supportTimestampQuery: boolean
  protected querySet: GPUQuerySet | null
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
  getQueryTime(): Promise<number>
  getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer>
  uploadToGPU(dataId: object): void
  makeTensorInfo(shape: number[], dtype: string, values?: BackendValues): TensorInfo
  runWebGPUProgram(...args: unknown[]): TensorInfo
  protected tensorToBinding(tensor: TensorInfo): GPUBindingResource
  protected recordAndSubmit(
    program: StockProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms?: StockUniform[],
  ): void
  override read(dataId: object): Promise<BackendValues>
  override readSync(dataId: object): BackendValues
  override disposeData(dataId: object, force?: boolean): boolean
  override memory(): { unreliable: boolean; numBytesInGPU: number; numBytesAllocatedInGPU: number }
}
