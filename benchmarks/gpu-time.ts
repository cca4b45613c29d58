import type { GpuDispatch, GpuEngineBackend } from '../packages/engine/src/webgpu/backend/engine-backend.js'
import type * as tf from '@tensorflow/tfjs-core'

/** What a function runs on the GPU, to be run again. */
export interface GpuWork {
  /** Milliseconds on the GPU: the fastest of many, issued some at a time. */
  time(seconds: number): Promise<number>
  dispose(): void
}

/** Records the dispatches of a function whose result stays as long as the work is kept. */
export function recordWork(gpu: GpuEngineBackend, run: () => tf.Tensor): GpuWork {
  const dispatches: GpuDispatch[] = []
  const pages = gpu.createPages()
  gpu.flush()
  gpu.recorder = {
    pages,
    use: () => {},
    add: (command) => void ('pipeline' in command && dispatches.push(command)),
  }
  const result = run()
  pages.write()
  gpu.flush()
  gpu.recorder = undefined
  return {
    time: (seconds) => fastest(gpu.device, dispatches, seconds),
    dispose: () => {
      pages.destroy()
      result.dispose()
    },
  }
}

async function fastest(
  device: GPUDevice,
  dispatches: readonly GpuDispatch[],
  seconds: number,
): Promise<number> {
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 })
  const resolved = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  })
  const readable = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
  let best = Infinity
  const end = performance.now() + 1000 * seconds
  for (
    let count = 1;
    performance.now() < end || best === Infinity;
    count = Math.ceil(Math.min(100, 5 / best))
  ) {
    const encoder = device.createCommandEncoder()
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
    const pass = encoder.beginComputePass({ timestampWrites })
    for (let i = 0; i < count; i++) {
      for (const { pipeline, bindGroup, workgroups } of dispatches) {
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, bindGroup)
        pass.dispatchWorkgroups(...workgroups)
      }
    }
    pass.end()
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16)
    device.queue.submit([encoder.finish()])
    await readable.mapAsync(GPUMapMode.READ)
    const [begin, finish] = new BigInt64Array(readable.getMappedRange())
    best = Math.min(best, Number(finish - begin) / 1e6 / count)
    readable.unmap()
  }
  for (const buffer of [resolved, readable]) buffer.destroy()
  querySet.destroy()
  return best
}
