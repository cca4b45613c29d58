import type { GpuBackend, GpuCommand } from './gpu-backend.js'

/** Fields of tfjs' stock `WebGPUBackend` (4.22) that its own `recordAndSubmit` works with. */
interface StockBackend extends GpuBackend {
  bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer }
  commandQueueOwnedIds: WeakSet<object>
  uniformPendingDisposal: GPUBuffer[]
  commandEncoder: GPUCommandEncoder
  computePassEncoder: GPUComputePassEncoder | null
  dispatchCountInPass: number
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

/** Commands that are handed to the GPU at once, as tfjs does by default. */
const BATCH = 15

/** Runs a command on the stock WebGPU backend, for callers that use a facekit package without its engine. */
export function encodeCommand(backend: GpuBackend, command: GpuCommand): void {
  const gpu = backend as StockBackend
  const { name, pipeline, layout, data, uniforms, workgroups } = command
  const entries: GPUBindGroupEntry[] = data.map((dataId, binding) => {
    gpu.commandQueueOwnedIds.add(dataId)
    return { binding, resource: { buffer: gpu.tensorMap.get(dataId).resource! } }
  })
  if (uniforms) {
    const buffer = gpu.bufferManager.acquireBuffer(
      uniforms.byteLength,
      GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM,
    )
    gpu.device.queue.writeBuffer(buffer, 0, uniforms)
    gpu.uniformPendingDisposal.push(buffer)
    entries.push({ binding: entries.length, resource: { buffer } })
  }
  gpu.ensureCommandEncoderReady()
  gpu.computePassEncoder ??= gpu.commandEncoder.beginComputePass()
  gpu.computePassEncoder.setPipeline(pipeline)
  gpu.computePassEncoder.setBindGroup(0, gpu.device.createBindGroup({ label: name, layout, entries }))
  gpu.computePassEncoder.dispatchWorkgroups(...workgroups)
  gpu.dispatchCountInPass++
  if (gpu.dispatchCountInPass >= BATCH) {
    gpu.endComputePassEncoder()
    gpu.submitQueue()
  }
}
