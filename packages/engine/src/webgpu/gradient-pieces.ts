import { makeGpuTensor, runGpuProgram, workgroupsFor, wgslMain, type GpuProgram } from '@facekit/kernels'
import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from './backend/engine-backend.js'

/* Contributor notes
 *
 * A recorded step hands all its commands over at once. What is copied into a mapped buffer in the midst of them can be read by the CPU as soon as the GPU has come
 * so far, while it computes the rest. The gradients of a network's last layers come first in the backward pass; in a ResNet-50 they are most of all numbers.
 */

/** Bytes of a piece, about: few enough that the first is on its way early, many enough that a message is not all latency. */
const PIECE_BYTES = 4 << 20
const GROUP = 256
/** Gradients of weights are sums over all pixels of a batch; times a loss scale that suits those of the pixels they would be too large for halves. */
const SHRINK = 1 / 64

/** Gradients that travel together, as halves. */
interface Piece {
  /** Of this process, on the GPU. */
  own: TensorInfo
  /** Of each other process, on the GPU, in the order of their ranks. */
  others: TensorInfo[]
  /** For the CPU to read. */
  readable: GPUBuffer
  bytes: number
  parts: { index: number; shape: number[]; quads: number }[]
}

/** Gradients as halves in a few pieces, of this process and of others. */
export class GpuGradientPieces {
  readonly #gpu: GpuEngineBackend
  readonly #others: number
  #pieces: Piece[] = []
  #count = 0
  #waiting: { index: number; gradient: TensorInfo; quads: number }[] = []

  /** @param others - number of other processes */
  constructor(gpu: GpuEngineBackend, others: number) {
    this.#gpu = gpu
    this.#others = others
  }

  /** Bytes of each piece. */
  get sizes(): number[] {
    return this.#pieces.map(({ bytes }) => bytes)
  }

  /** Before the first gradient of a step. */
  begin(): void {
    this.#count = 0
    this.#waiting = []
  }

  /** Takes a gradient, and sends a piece on its way when there are enough. */
  add(index: number, gradient: TensorInfo): void {
    const size = util.sizeFromShape(gradient.shape)
    if (size === 0) return
    this.#waiting.push({ index, gradient, quads: Math.ceil(size / 4) })
    if (8 * this.#quads() >= PIECE_BYTES) this.#pack()
  }

  /** After the last gradient of a step. */
  end(): void {
    if (this.#waiting.length > 0) this.#pack()
    for (const piece of this.#pieces.splice(this.#count)) this.#free(piece)
  }

  readonly #quads = () => this.#waiting.reduce((sum, { quads }) => sum + quads, 0)

  #pack(): void {
    const gpu = this.#gpu
    const waiting = this.#waiting
    const quads = this.#quads()
    this.#waiting = []
    const piece = this.#piece(this.#count++, 8 * quads)
    piece.parts = waiting.map(({ index, gradient, quads }) => ({ index, shape: gradient.shape, quads }))
    const most = gpu.device.limits.maxStorageBuffersPerShaderStage - 1
    let start = 0
    for (let i = 0; i < waiting.length; i += most) {
      const some = waiting.slice(i, i + most)
      const ends = endsOf(some)
      runGpuProgram(gpu, packing(some.length), {
        inputs: some.map(({ gradient }) => gradient),
        outputs: [piece.own],
        uniforms: [start, ...ends],
        workgroups: workgroupsFor(ends.at(-1)!, GROUP),
      })
      start += ends.at(-1)!
    }
    const source = { buffer: gpu.bufferOf(piece.own.dataId), offset: 0, size: piece.bytes }
    gpu.encodeCopy({ source, target: piece.readable })
  }

  #piece(at: number, bytes: number): Piece {
    const known = this.#pieces[at]
    if (known?.bytes === bytes) return known
    if (known) this.#free(known)
    const gpu = this.#gpu
    const make = () => makeGpuTensor(gpu, [bytes / 2], 'float16')
    const piece: Piece = {
      own: make(),
      others: Array.from({ length: this.#others }, make),
      readable: gpu.device.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      }),
      bytes,
      parts: [],
    }
    return (this.#pieces[at] = piece)
  }

  /** Copies each piece, in the order in which the GPU makes them.
   *
   * @param take - gets a piece's bytes, which are gone when it returns
   */
  async read(take: (piece: number, bytes: Uint8Array) => void): Promise<void> {
    this.#gpu.flush()
    const mapped = this.#pieces.map(({ readable }) => readable.mapAsync(GPUMapMode.READ))
    // All are waited for below, in turn; none may fail unseen meanwhile.
    for (const one of mapped) one.catch(() => {})
    for (const [i, { readable }] of this.#pieces.entries()) {
      await mapped[i]
      take(i, new Uint8Array(readable.getMappedRange()))
      readable.unmap()
    }
  }

  /** Brings a piece of another process to the GPU. */
  write(piece: number, other: number, bytes: Uint8Array): void {
    const gpu = this.#gpu
    gpu.queue.writeBuffer(gpu.bufferOf(this.#pieces[piece].others[other].dataId), 0, bytes as BufferSource)
  }

  /** The means over all processes, added up in the order of their ranks.
   *
   * @param rank - of this process
   * @returns by the gradients' indices
   */
  means(rank: number): Map<number, TensorInfo> {
    const gpu = this.#gpu
    const means = new Map<number, TensorInfo>()
    for (const { own, others, parts } of this.#pieces) {
      const operands = [...others.slice(0, rank), own, ...others.slice(rank)]
      const most = gpu.device.limits.maxStorageBuffersPerShaderStage - operands.length
      let start = 0
      for (let i = 0; i < parts.length; i += most) {
        const some = parts.slice(i, i + most)
        const ends = endsOf(some)
        const outputs = some.map(({ shape }) => makeGpuTensor(gpu, shape, 'float32'))
        runGpuProgram(gpu, averaging(operands.length, some.length), {
          inputs: operands,
          outputs,
          uniforms: [start, ...ends],
          workgroups: workgroupsFor(ends.at(-1)!, GROUP),
        })
        for (const [j, { index }] of some.entries()) means.set(index, outputs[j])
        start += ends.at(-1)!
      }
    }
    return means
  }

  dispose(): void {
    for (const piece of this.#pieces.splice(0)) this.#free(piece)
  }

  #free({ own, others, readable }: Piece): void {
    for (const { dataId } of [own, ...others]) this.#gpu.disposeData(dataId)
    readable.destroy()
  }
}

function endsOf(parts: readonly { quads: number }[]): number[] {
  let end = 0
  return parts.map(({ quads }) => (end += quads))
}

const named = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i))

/** WGSL: what each invocation does with its place `at` in one of several arrays. */
const inTurn = (count: number, body: (i: number) => string) =>
  wgslMain(
    named(count, (i) => {
      const at = i === 0 ? 'index' : `index - uniforms.end${i - 1}`
      return `if (index < uniforms.end${i}) { let at = ${at}; ${body(i)} return; }`
    }).join('\n'),
    GROUP,
  )

/** Four numbers at a time; what lies behind the last one is read and written, too: buffers are that large. */
const packing = (count: number): GpuProgram => ({
  name: `facekit_pack_gradients_${count}`,
  inputs: named(count, (i) => `x${i}: vec4<f32>`),
  outputs: ['piece: half4'],
  uniforms: ['start: u32', ...named(count, (i) => `end${i}: u32`)],
  code: () => inTurn(count, (i) => `piece[uniforms.start + index] = narrow4(x${i}[at] * ${SHRINK});`),
})

const averaging = (processes: number, count: number): GpuProgram => ({
  name: `facekit_average_gradients_${processes}_${count}`,
  inputs: named(processes, (i) => `piece${i}: half4`),
  outputs: named(count, (i) => `mean${i}: vec4<f32>`),
  uniforms: ['start: u32', ...named(count, (i) => `end${i}: u32`)],
  code: () => {
    const sum = named(processes, (i) => `widen4(piece${i}[uniforms.start + index])`).join(' + ')
    return inTurn(count, (i) => `mean${i}[at] = (${sum}) * ${1 / (SHRINK * processes)};`)
  },
})
