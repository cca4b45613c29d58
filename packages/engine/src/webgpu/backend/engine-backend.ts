import type { GpuCommand, GpuTensorData } from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
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
  /** Called with those whose kept halves are read. */
  useHalves?(dataId: object): void
  /** Called for each command. */
  add(command: GpuDispatch | GpuCopy): void
}

/** What multiplies matrices of halves: the GPU's matrix units, or WGSL in their place, by which tests on any adapter see the same indices. */
export type MatrixUnits = 'none' | 'hardware' | 'emulated'

/** Where the GPU keeps the state of dynamic loss scaling; no tensors that tfjs counts. */
export interface GpuLossScale {
  /** `[]`: what losses are multiplied by. */
  scale: TensorInfo
  /** `[4]`: what gradients are multiplied by, steps since the scale was changed, steps that were skipped, and whether the last one was not: 1 or 0. */
  gate: TensorInfo
  /** `[1]`, int32: whether a number is not finite. */
  found: TensorInfo
}

/** Bytes of a tensor's numbers on the GPU. */
export const bytesOf = ({ shape, dtype }: Pick<GpuTensorData, 'shape' | 'dtype'>): number =>
  (dtype === 'float16' ? 2 : 4) * util.sizeFromShape(shape)

/** tfjs' WebGPU backend with commands that cost less and memory that is reused. */
export interface GpuEngineBackend extends StockWebGPUBackend {
  recorder?: GpuRecording
  /** What the CPU tells the GPU during a step, if somebody wants to know. */
  trace?: GpuTrace
  /** Set when the device is lost: why. */
  lost?: string
  /** What multiplies halves. */
  matrixUnits: MatrixUnits
  /** Whether networks compute in mixed precision: see `initEngine`. */
  mixed: boolean
  /** State of dynamic loss scaling, once there is one. */
  lossScale?: GpuLossScale
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
