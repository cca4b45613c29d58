import type { GpuArena } from './buffer-pool.js'
import type { GpuCopy, GpuDispatch, GpuEngineBackend, GpuRecording } from './engine-backend.js'
import type { GpuPages } from './pages.js'

/** Everything that is encoded while it is set as the backend's recorder, to be encoded again. */
export class GpuRecorder implements GpuRecording {
  readonly commands: (GpuDispatch | GpuCopy)[] = []
  readonly pages: GpuPages
  readonly arena: GpuArena
  /** Data of which halves are read that may have been there before. */
  readonly halved = new Set<object>()
  private readonly touched = new Set<object>()

  constructor(private readonly backend: GpuEngineBackend) {
    this.pages = backend.createPages()
    this.arena = backend.bufferManager.openArena()
  }

  /** Notes what a dispatch is bound to. */
  use(buffers: readonly GPUBuffer[], data: readonly object[]): void {
    for (const buffer of buffers) this.backend.bufferManager.pin(this.arena, buffer)
    for (const dataId of data) this.touched.add(dataId)
  }

  useHalves(dataId: object): void {
    this.halved.add(dataId)
  }

  add(command: GpuDispatch | GpuCopy): void {
    this.commands.push(command)
  }

  /** Ends the recording. */
  close(): void {
    this.pages.write()
    this.backend.flush()
    this.backend.bufferManager.closeArena()
    // Of what is gone there can be no copy on the CPU.
    for (const dataId of this.touched) if (!this.backend.tensorMap.has(dataId)) this.touched.delete(dataId)
  }

  /** Does it all again. */
  replay(): void {
    for (const command of this.commands) {
      if ('pipeline' in command) this.backend.encodeDispatch(command)
      else this.backend.encodeCopy(command)
    }
    this.forgetCopies()
  }

  /** What the CPU has read of the step's tensors is out of date. */
  forgetCopies(): void {
    for (const dataId of this.touched) {
      const data = this.backend.tensorMap.has(dataId) ? this.backend.tensorMap.get(dataId) : undefined
      if (data?.resource) data.values = null
      // Somebody else's, made after this step was recorded: it does not keep them up to date.
      if (data?.halves && !this.touched.has(data.halves.info.dataId)) data.halves.stale = true
    }
  }

  dispose(): void {
    this.backend.flush()
    this.backend.bufferManager.releaseArena(this.arena)
    this.pages.destroy()
    this.commands.length = 0
  }
}
