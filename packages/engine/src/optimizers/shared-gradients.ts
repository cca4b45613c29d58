import { ValueError } from '@facekit/core'
import { engine, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../webgpu/backend/engine-backend.js'
import { GpuGradientPieces } from '../webgpu/gradient-pieces.js'
import { gradientsTimesScale, unscale } from './scaled-gradients.js'

/** How a process talks to the others that compute the same with other data. */
export interface GradientPeers {
  /** From 0. */
  readonly rank: number
  /** How many processes there are. */
  readonly size: number
  /** Puts the parts of all processes, in the order of their ranks, one after the other into `all`; the own part may lie there already. */
  allGather(part: Uint8Array, all: Uint8Array): Promise<void>
}

/** Milliseconds that an exchange of gradients took. */
export interface ExchangeTimes {
  /** From the call until the GPU had made the last gradient. */
  computing: number
  /** From then until all gradients of the others were here: what the exchange adds to a step. */
  waiting: number
  /** Of the CPU: copying out of the GPU's memory. */
  reading: number
  /** In which the gradients of the others came. */
  gathering: number
  /** Of the CPU: copying into the GPU's memory. */
  uploading: number
}

/** Gradients that are averaged over several processes, each with a GPU of its own, in mixed precision. */
export class SharedGradients {
  readonly #gpu: GpuEngineBackend
  readonly #variables: Variable[]
  readonly #peers: GradientPeers
  readonly #pieces: GpuGradientPieces
  /** What comes from all processes, for each piece. */
  #all: Uint8Array[] = []

  private constructor(gpu: GpuEngineBackend, variables: Variable[], peers: GradientPeers) {
    this.#gpu = gpu
    this.#variables = variables
    this.#peers = peers
    this.#pieces = new GpuGradientPieces(gpu, peers.size - 1)
  }

  /** @returns nothing where the current backend does not compute in mixed precision */
  static create(variables: Variable[], peers: GradientPeers): SharedGradients | undefined {
    const { backend, backendName } = engine()
    const gpu = backend as GpuEngineBackend
    if (backendName !== 'webgpu' || !gpu.mixed) return undefined
    if (2 * peers.size > gpu.device.limits.maxStorageBuffersPerShaderStage) return undefined
    return new SharedGradients(gpu, variables, peers)
  }

  /** Inside of a step that may be recorded: the gradients of a loss, halves times the loss scale, on their way out of the GPU's memory.
   *
   * @returns the loss
   */
  compute(loss: () => Scalar): Scalar {
    const pieces = this.#pieces
    const sent = new Set<number>()
    const send = (index: number, gradient: Tensor) => {
      sent.add(index)
      pieces.add(index, gradient)
    }
    pieces.begin()
    const { value, grads } = gradientsTimesScale(this.#gpu, loss, this.#variables, send)
    for (const [i, gradient] of grads.entries()) if (gradient && !sent.has(i)) send(i, gradient)
    pieces.end()
    for (const gradient of grads) gradient?.dispose()
    return value as Scalar
  }

  /** After that step: sends the gradients to the others, and gets theirs. What is ready is sent while the GPU computes the rest. */
  async exchange(): Promise<ExchangeTimes> {
    const { rank, size } = this.#peers
    await this.#prepare()
    const times = { computing: 0, waiting: 0, reading: 0, gathering: 0, uploading: 0 }
    const timed = <T>(name: keyof ExchangeTimes, work: () => T): T => {
      const start = performance.now()
      const result = work()
      times[name] += performance.now() - start
      return result
    }
    const begin = performance.now()
    let gathered = Promise.resolve()
    const uploaded: Promise<void>[] = []
    const gather = async (part: Uint8Array, all: Uint8Array) => {
      const start = performance.now()
      await this.#peers.allGather(part, all)
      times.gathering += performance.now() - start
    }
    const upload = (piece: number, length: number, all: Uint8Array) => {
      for (let from = 0; from < size; from++) {
        if (from !== rank)
          this.#pieces.write(
            piece,
            from - Number(from > rank),
            all.subarray(from * length, (from + 1) * length),
          )
      }
    }
    await this.#pieces.read((piece, bytes) => {
      const all = this.#all[piece]
      const length = all.length / size
      const part = all.subarray(rank * length, (rank + 1) * length)
      timed('reading', () => part.set(bytes))
      gathered = gathered.then(() => gather(part, all))
      // The next piece is on its way before this one is uploaded.
      uploaded[piece] = gathered.then(soon).then(() => timed('uploading', () => upload(piece, length, all)))
      uploaded[piece].catch(() => {})
    })
    times.computing = performance.now() - begin
    await Promise.all(uploaded)
    times.waiting = performance.now() - begin - times.computing
    return times
  }

  /** Inside of a step, after the exchange: the mean gradients over all processes, for each variable whose gradient there is. When one of them is not finite in any
   * process, no process changes its variables by them: see `scaledGradients`. */
  means(): (Tensor | undefined)[] {
    const gpu = this.#gpu
    const means = [...this.#pieces.means(this.#peers.rank)]
    const tensors = means.map(([, { dataId, shape }]) =>
      engine().makeTensorFromDataId(dataId, shape, 'float32', gpu),
    )
    const unscaled = unscale(gpu, tensors)
    const gradients = new Map(means.map(([index], i) => [index, unscaled[i]]))
    return this.#variables.map((_, i) => gradients.get(i))
  }

  dispose(): void {
    this.#pieces.dispose()
  }

  /** Makes room for pieces of other sizes than before, which must be the same in all processes. */
  async #prepare(): Promise<void> {
    const { sizes } = this.#pieces
    const { size } = this.#peers
    if (sizes.length === this.#all.length && sizes.every((bytes, i) => size * bytes === this.#all[i].length))
      return
    const [count, total] = [sizes.length, sizes.reduce((sum, bytes) => sum + bytes, 0)]
    const mine = Float64Array.of(count, total, sizes[0] ?? 0)
    const theirs = new Float64Array(size * mine.length)
    await this.#peers.allGather(new Uint8Array(mine.buffer), new Uint8Array(theirs.buffer))
    if (theirs.some((value, i) => value !== mine[i % mine.length])) {
      throw new ValueError(
        `SharedGradients: the processes have gradients of different sizes (this one: ${total} bytes in ${count} pieces); is it the same network in all of them?`,
      )
    }
    this.#all = sizes.map((bytes) => new Uint8Array(size * bytes))
  }
}

const soon = () =>
  new Promise<void>((resolve) => {
    // Browsers have timers only.
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
