import type { KernelTime } from '@facekit/kernels'
import type { GpuCopy, GpuDispatch, GpuEngineBackend } from './engine-backend.js'

/** Dispatches that are timed at a time: a query set holds 4096 times at most. */
const CHUNK = 2048

/** Runs commands once, each in a pass of its own, and adds up their times by name, longest first. Empty where the device has no clock. */
export async function profileCommands(
  backend: GpuEngineBackend,
  commands: readonly (GpuDispatch | GpuCopy)[],
): Promise<KernelTime[]> {
  const { device } = backend
  if (!device.features.has('timestamp-query')) return []
  const times = new Map<string, KernelTime>()
  backend.flush()
  for (let start = 0; start < commands.length; start += CHUNK) {
    const chunk = commands.slice(start, start + CHUNK)
    const stamps = await timeChunk(device, chunk)
    let next = 0
    for (const command of chunk) {
      if (!('pipeline' in command)) continue
      const milliseconds = Number(stamps[next + 1] - stamps[next]) / 1e6
      next += 2
      const entry = times.get(command.name) ?? { name: command.name, count: 0, milliseconds: 0 }
      entry.count++
      entry.milliseconds += milliseconds
      times.set(command.name, entry)
    }
  }
  return [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds)
}

async function timeChunk(
  device: GPUDevice,
  chunk: readonly (GpuDispatch | GpuCopy)[],
): Promise<BigUint64Array> {
  const count = 2 * Math.max(1, chunk.length)
  const querySet = device.createQuerySet({ type: 'timestamp', count })
  const size = 8 * count
  const resolved = device.createBuffer({
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  })
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  const encoder = device.createCommandEncoder()
  let next = 0
  for (const command of chunk) {
    if ('pipeline' in command) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: next, endOfPassWriteIndex: next + 1 },
      })
      next += 2
      pass.setPipeline(command.pipeline)
      pass.setBindGroup(0, command.bindGroup)
      pass.dispatchWorkgroups(...command.workgroups)
      pass.end()
    } else {
      const { source, target } = command
      encoder.copyBufferToBuffer(source.buffer, source.offset, target, 0, source.size)
    }
  }
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0)
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, size)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(GPUMapMode.READ)
  const stamps = new BigUint64Array(staging.getMappedRange().slice(0))
  for (const buffer of [resolved, staging]) buffer.destroy()
  querySet.destroy()
  return stamps
}
