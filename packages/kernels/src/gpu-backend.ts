import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** The part of tfjs' `WebGPUBackend` that is used here. */
export interface GpuBackend extends KernelBackend {
  device: GPUDevice
  tensorMap: { get(dataId: object): GpuTensorData }
  makeTensorInfo(shape: number[], dtype: string, values?: Float32Array): TensorInfo
  uploadToGPU(dataId: object): void
  /** Takes a command; the engine's backend has this, the stock one is served by `encodeCommand`. */
  encode?(command: GpuCommand): void
}

/** What the backend knows of a tensor's data. */
export interface GpuTensorData {
  dtype: string
  shape: number[]
  /** A copy on the CPU, if there is one. */
  values: unknown
  resource?: GPUBuffer | null
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
}
