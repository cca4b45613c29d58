import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** The part of tfjs' `WebGPUBackend` that is used here. */
export interface GpuBackend extends KernelBackend {
  device: GPUDevice
  tensorMap: { get(dataId: object): GpuTensorData }
  makeTensorInfo(shape: number[], dtype: string, values?: Float32Array): TensorInfo
  uploadToGPU(dataId: object): void
  /** Takes a command; the engine's backend has this, the stock one is served by `encodeCommand`. */
  encode?(command: GpuCommand): void
  /** Told whose halves a program is about to read; see `keptHalves`. */
  useHalves?(dataId: object): void
}

/** The numbers of a tensor as halves, beside them. */
export interface GpuKeptHalves {
  info: TensorInfo
  /** The numbers were changed since. */
  stale: boolean
}

/** What the backend knows of a tensor's data. */
export interface GpuTensorData {
  dtype: string
  shape: number[]
  /** A copy on the CPU, if there is one. */
  values: unknown
  resource?: GPUBuffer | null
  /** Kept for programs that read halves. */
  halves?: GpuKeptHalves
}

/** A program with everything that it is bound to. */
export interface GpuCommand {
  name: string
  pipeline: GPUComputePipeline
  layout: GPUBindGroupLayout
  /** Data bound from 0 on, inputs before outputs; the uniforms, if any, come last. */
  data: readonly object[]
  /** Bytes of the uniforms, a multiple of 16. */
  uniforms?: ArrayBuffer
  workgroups: readonly [number, number, number]
  /** See `GpuProgram`. */
  refreshes?: boolean
}
