import type { GpuCommand } from '@facekit/kernels'
import type { GpuPages, GpuRange } from './pages.js'
import type { GpuRecorder } from './recorder.js'
import type { GpuTrace } from './trace.js'
import type { StockWebGPUBackend } from './stock-webgpu-backend.js'

/** A dispatch with everything that it is bound to. */
export interface GpuDispatch {
  name: string
  pipeline: GPUComputePipeline
  bindGroup: GPUBindGroup
  workgroups: readonly [number, number, number]
}

/** A copy from buffer to buffer. */
export interface GpuCopy {
  source: GpuRange
  target: GPUBuffer
}

/** tfjs' WebGPU backend with commands that cost less and memory that is reused. */
export interface GpuEngineBackend extends StockWebGPUBackend {
  recorder?: GpuRecorder
  /** What the CPU tells the GPU during a step, if somebody wants to know. */
  trace?: GpuTrace
  /** Set when the device is lost: why. */
  lost?: string
  encode(command: GpuCommand): void
  encodeDispatch(dispatch: GpuDispatch): void
  encodeCopy(copy: GpuCopy): void
  /** Hands everything that was encoded over to the GPU. */
  flush(): void
  /** Uniforms for a recorded step live on pages of its own. */
  createPages(): GpuPages
  /** The buffer of a tensor's data, which is uploaded if need be. */
  bufferOf(dataId: object): GPUBuffer
}
