import type { GpuCommand } from '@facekit/kernels'
import type { GpuPages, GpuRange } from './pages.js'
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

/** Takes note of what is encoded while it is set as a backend's recorder. */
export interface GpuRecording {
  /** Uniforms of the recorded commands. */
  readonly pages: GpuPages
  /** Called for each dispatch with what it is bound to. */
  use(buffers: readonly GPUBuffer[], data: readonly object[]): void
  /** Called for each command. */
  add(command: GpuDispatch | GpuCopy): void
}

/** tfjs' WebGPU backend with commands that cost less and memory that is reused. */
export interface GpuEngineBackend extends StockWebGPUBackend {
  recorder?: GpuRecording
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
  /** Data of unknown contents, without memory until it is asked for. */
  writeNothing(shape: number[], dtype: string): object
  /** The buffer of a tensor's data, which is uploaded if need be. */
  bufferOf(dataId: object): GPUBuffer
}
