import { BackendError } from '@facekit/core'

/** Where an allocation comes from, and where its failure is reported. */
export interface GpuAllocation {
  /** Kernel that ran last. */
  after: string
  /** Set when the device is lost: why. */
  lost?: string
  /** Called when memory is unavailable, which WebGPU reports later. */
  onOutOfMemory(message: string): void
}

/** Makes a buffer.
 *
 * @throws {BackendError} when it is larger than the GPU can bind, or the device is lost
 */
export function allocate(
  device: GPUDevice,
  descriptor: GPUBufferDescriptor,
  { after, lost, onOutOfMemory }: GpuAllocation,
): GPUBuffer {
  const { size } = descriptor
  if (lost !== undefined) throw new BackendError(`webgpu: the device is lost (${lost})`)
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize)
  if (size > limit)
    throw new BackendError(
      `webgpu: a tensor of ${size} bytes is asked for after kernel ${after}, this GPU takes ${limit} at most; use smaller batches`,
    )
  device.pushErrorScope('out-of-memory')
  const buffer = device.createBuffer(descriptor)
  void device.popErrorScope().then((error) => {
    if (error) onOutOfMemory(`out of memory for ${size} bytes after kernel ${after}; use smaller batches`)
  })
  return buffer
}
