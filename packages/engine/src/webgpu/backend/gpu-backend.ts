import { util, type BackendValues, type TensorContainer, type TensorInfo } from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import { convertGpuTensor, gpuMemoryType, type GpuCommand, type StepInput } from '@facekit/kernels'
import { allocate, type GpuAllocation } from './allocate.js'
import { GpuBufferPool } from './buffer-pool.js'
import {
  bytesOf,
  type GpuCopy,
  type GpuDispatch,
  type GpuEngineBackend,
  type GpuLossScale,
  type GpuRecording,
  type MatrixUnits,
} from './engine-backend.js'
import { GpuPages, type GpuRange } from './pages.js'
import { recordOnGpu } from './recorded-step.js'
import type { GpuTrace } from './trace.js'
import { stockUniforms } from './stock-uniforms.js'
import type { StockProgram, StockUniform, StockWebGPUBackend } from './stock-webgpu-backend.js'

/* Contributor notes
 *
 * What tfjs' backend spends its time on, between kernels: a buffer and a queue write for the uniforms of each of them, a queue submission for
 * each scalar that is uploaded and for every fifteen kernels, and new buffers, because those of this submission are not free yet. Here
 * uniforms and small uploads are collected and written once a submission (pages.ts), buffers are reused at once
 * (buffer-pool.ts), and everything that is encoded can be recorded and encoded again without the rest of tfjs (recorder.ts).
 */

/** Commands that are handed to the GPU at once: few enough that it does not wait for them. */
const SUBMIT_AFTER = 64
/** Uploads up to this size travel with the commands. */
const SMALL_UPLOAD = 64 * 1024
const UNIFORM_PAGE = 256 * 1024
const UPLOAD_PAGE = 1024 * 1024

/** Makes a backend out of tfjs' class, which can be imported only once the device is there. */
export function createGpuBackend(
  Stock: unknown,
  device: GPUDevice,
  info: GPUAdapterInfo,
  options: Pick<GpuAllocation, 'onOutOfMemory'>,
): GpuEngineBackend {
  const Base = Stock as new (device: GPUDevice, info: GPUAdapterInfo) => StockWebGPUBackend

  class GpuBackend extends Base implements GpuEngineBackend {
    recorder?: GpuRecording
    trace?: GpuTrace
    lost?: string
    matrixUnits: MatrixUnits = 'none'
    mixed = false
    lossScale?: GpuLossScale
    private running = 'none'
    private encoded = 0
    private readonly uniformPages = this.createPages()
    private readonly uploadPages = new GpuPages(this.device, GPUBufferUsage.COPY_SRC, UPLOAD_PAGE, 16)

    constructor() {
      super(device, info)
      // Nothing waits for the commands that use it: see buffer-pool.ts.
      this.commandQueueOwnedIds = { add: () => new WeakSet(), has: () => false }
      this.bufferManager = new GpuBufferPool(
        (descriptor) =>
          allocate(this.device, descriptor, { ...options, after: this.running, lost: this.lost }),
        Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
      )
    }

    createPages(): GpuPages {
      const { minUniformBufferOffsetAlignment } = this.device.limits
      return new GpuPages(
        this.device,
        GPUBufferUsage.UNIFORM,
        UNIFORM_PAGE,
        Math.max(16, minUniformBufferOffsetAlignment),
      )
    }

    writeNothing(shape: number[], dtype: string): object {
      return this.makeTensorInfo(shape, dtype).dataId
    }

    bufferOf(dataId: object): GPUBuffer {
      this.uploadToGPU(dataId)
      return this.tensorMap.get(dataId).resource!
    }

    recordStep<Inputs extends StepInput[], Output extends TensorContainer>(
      run: (...inputs: Inputs) => Output,
    ) {
      return recordOnGpu(this, run)
    }

    encode({ name, pipeline, layout, data, uniforms, workgroups, refreshes }: GpuCommand): void {
      const buffers = data.map((dataId) => this.tensorMap.get(dataId).resource!)
      const entries: GPUBindGroupEntry[] = buffers.map((buffer, binding) => ({
        binding,
        resource: { buffer },
      }))
      if (uniforms) {
        if (!refreshes) this.trace?.add(name, uniforms)
        entries.push({ binding: entries.length, resource: this.addUniforms(uniforms) })
      }
      this.recorder?.use(buffers, data)
      const bindGroup = this.device.createBindGroup({ label: name, layout, entries })
      this.encodeDispatch({ name, pipeline, bindGroup, workgroups })
    }

    useHalves(dataId: object): void {
      this.recorder?.useHalves?.(dataId)
    }

    override disposeData(dataId: object, force?: boolean): boolean {
      const { halves } = this.tensorMap.has(dataId) ? this.tensorMap.get(dataId) : {}
      const gone = super.disposeData(dataId, force)
      if (gone && halves) super.disposeData(halves.info.dataId, true)
      return gone
    }

    protected override recordAndSubmit(
      program: StockProgram,
      output: TensorInfo,
      inputs: TensorInfo[],
      own?: StockUniform[],
    ): void {
      const { name } = program.constructor
      const bytes = stockUniforms(program, inputs, output, own)
      this.trace?.add(name, bytes)
      const uniforms = this.addUniforms(bytes)
      const data = [output, ...inputs]
      const resources = [...data.map((tensor) => this.tensorToBinding(tensor)), uniforms]
      if (this.recorder) {
        if (program.pixelsOpType !== undefined)
          throw new BackendError(
            `recordStep: ${name} reads pixels or draws them, which cannot be recorded; do it outside of the step`,
          )
        this.recorder.use(
          data.map(({ dataId }) => this.tensorMap.get(dataId).resource!),
          data.map(({ dataId }) => dataId),
        )
      }
      this.tensorMap.get(output.dataId).values = null
      const bindGroup = this.device.createBindGroup({
        label: name,
        layout: program.pipeline.getBindGroupLayout(0),
        entries: resources.map((resource, binding) => ({ binding, resource })),
      })
      this.encodeDispatch({ name, pipeline: program.pipeline, bindGroup, workgroups: program.dispatch })
    }

    encodeDispatch(dispatch: GpuDispatch): void {
      const { name, pipeline, bindGroup, workgroups } = dispatch
      this.running = name
      this.encoded++
      this.recorder?.add(dispatch)
      this.ensureCommandEncoderReady()
      const timed = this.activeTimers !== undefined && this.supportTimestampQuery
      if (timed) {
        this.endComputePassEncoder()
        this.querySet ??= this.device.createQuerySet({ type: 'timestamp', count: 2 })
        this.computePassEncoder = this.commandEncoder!.beginComputePass({
          timestampWrites: {
            querySet: this.querySet,
            beginningOfPassWriteIndex: 0,
            endOfPassWriteIndex: 1,
          },
        })
      }
      this.computePassEncoder ??= this.commandEncoder!.beginComputePass()
      this.computePassEncoder.setPipeline(pipeline)
      this.computePassEncoder.setBindGroup(0, bindGroup)
      this.computePassEncoder.dispatchWorkgroups(...workgroups)
      this.dispatchCountInPass++
      if (timed) {
        this.endComputePassEncoder()
        this.activeTimers!.push({ name, query: this.getQueryTime() })
      } else if (this.dispatchCountInPass >= SUBMIT_AFTER) {
        this.flush()
      }
    }

    encodeCopy(copy: GpuCopy): void {
      const { source, target } = copy
      this.recorder?.add(copy)
      this.ensureCommandEncoderReady()
      this.endComputePassEncoder()
      this.commandEncoder!.copyBufferToBuffer(source.buffer, source.offset, target, 0, source.size)
    }

    flush(): void {
      if (this.commandEncoder) this.submitQueue()
    }

    override submitQueue(): void {
      this.endComputePassEncoder()
      this.uniformPages.write()
      this.uploadPages.write()
      this.recorder?.pages.write()
      if (this.commandEncoder) this.queue.submit([this.commandEncoder.finish()])
      this.commandEncoder = null
      this.dispatchCountInPass = 0
      this.uniformPages.reset()
      this.uploadPages.reset()
      this.bufferManager.emptyTrash()
    }

    override uploadToGPU(dataId: object): void {
      const tensor = this.tensorMap.get(dataId)
      if (tensor.resource) return
      // Shared by real and imaginary parts elsewhere; every type that gets here has 4 bytes, or is a half.
      const size = bytesOf(tensor)
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
      // What is uploaded once must not lie where an earlier command of the recorded step writes at every replay.
      const once = this.recorder !== undefined && tensor.values !== null && tensor.values !== undefined
      const buffer = this.bufferManager.acquireBuffer(size, usage, false, !once)
      if (tensor.values) {
        this.upload(dataId, tensor.values as ArrayLike<number>, tensor.dtype, buffer)
        tensor.values = null
      }
      tensor.resource = buffer
    }

    private upload(dataId: object, values: ArrayLike<number>, dtype: string, buffer: GPUBuffer): void {
      const typed = dtype === 'float32' ? Float32Array : Int32Array
      const data = values instanceof typed ? values : typed.from(values)
      if (data.byteLength === 0) return
      this.trace?.add(`upload of [${this.tensorMap.get(dataId).shape.join(', ')}]`, data)
      if (this.recorder) this.bufferManager.fix(buffer)
      if (data.byteLength <= SMALL_UPLOAD && !this.recorder) {
        this.encodeCopy({ source: this.uploadPages.add(data), target: buffer })
      } else {
        // The buffer may have been used by commands that are not handed over yet.
        this.flush()
        this.queue.writeBuffer(buffer, 0, data)
      }
    }

    /** Stock programs know no halves. */
    override runWebGPUProgram(program: unknown, inputs: TensorInfo[], ...rest: unknown[]): TensorInfo {
      const widened = inputs.map((input) =>
        gpuMemoryType(this, input) === 'float16' ? convertGpuTensor(this, input, 'float32') : input,
      )
      const result = super.runWebGPUProgram(program, widened, ...rest)
      for (const [i, input] of inputs.entries()) if (widened[i] !== input) this.disposeData(widened[i].dataId)
      return result
    }

    /** @returns `use` of the tensor's data as float32 */
    private widened<Result>(dataId: object, use: (dataId: object) => Result): Result {
      const { shape } = this.tensorMap.get(dataId)
      const floats = convertGpuTensor(this, { dataId, shape, dtype: 'float32' }, 'float32')
      const result = use(floats.dataId)
      if (result instanceof Promise)
        void result.finally(() => this.disposeData(floats.dataId)).catch(() => {})
      else this.disposeData(floats.dataId)
      return result
    }

    override async read(dataId: object): Promise<BackendValues> {
      const tensor = this.tensorMap.get(dataId)
      if (tensor?.dtype === 'float16') return this.widened(dataId, (floats) => this.read(floats))
      if (!tensor?.resource || tensor.values || tensor.dtype === 'complex64') return super.read(dataId)
      this.refuseReading()
      const size = 4 * util.sizeFromShape(tensor.shape)
      const { encoded } = this
      const data = await this.getBufferData(tensor.resource)
      const values = util.convertBackendValuesAndArrayBuffer(data.slice(0, size), tensor.dtype as 'float32')
      // Kept for later, unless a kernel may have updated it in place meanwhile.
      if (encoded === this.encoded && tensor.resource) tensor.values = values
      return values
    }

    override readSync(dataId: object): BackendValues {
      const tensor = this.tensorMap.get(dataId)
      if (tensor.dtype === 'float16') return this.widened(dataId, (floats) => this.readSync(floats))
      if (!tensor.resource || tensor.values) return super.readSync(dataId)
      this.refuseReading()
      if (typeof OffscreenCanvas === 'undefined')
        throw new BackendError('webgpu cannot be read synchronously in Node; use await tensor.data()')
      this.ensureCommandEncoderReady()
      const values = super.readSync(dataId) as Float32Array
      const size = util.sizeFromShape(tensor.shape)
      // Buffers are larger than what is in them.
      if (values.length > size) tensor.values = values.slice(0, size)
      return tensor.values as BackendValues
    }

    override memory() {
      const { numBytesUsed, numBytesAllocated } = this.bufferManager
      return {
        unreliable: false,
        numBytesInGPU: numBytesUsed,
        numBytesAllocatedInGPU: numBytesAllocated,
      }
    }

    private refuseReading(): void {
      if (this.recorder)
        throw new BackendError(
          'recordStep: the step reads a tensor, which cannot be recorded; return it instead',
        )
    }

    private addUniforms(bytes: ArrayBuffer): GpuRange {
      return (this.recorder?.pages ?? this.uniformPages).add(bytes)
    }
  }
  return new GpuBackend()
}
