/** A buffer and who has it. */
interface Slot {
  buffer: GPUBuffer
  /** The recorded step whose memory it belongs to. */
  arena?: GpuArena
  /** Recorded steps that read or write it although it is not theirs. */
  pins: number
  /** Written once, when the step was recorded: nobody may write it again. */
  fixed?: boolean
  used: boolean
}

/** The memory of a recorded step: its buffers are reused within the step, and by nobody else while the step is kept. */
export interface GpuArena {
  readonly slots: Set<Slot>
  readonly pinned: Set<Slot>
}

/** Free memory that is kept for later: this share of the peak usage, and at least so many bytes. */
const SPARE_SHARE = 0.4
const SPARE_BYTES = 64 * 2 ** 20
/** A free buffer serves a request of this share of its size or more. */
const LEAST_FILL = 0.75

const LEAST_BYTES = 256

const isStorage = (usage: number) => (usage & GPUBufferUsage.STORAGE) !== 0

/** Sizes come in sixteen steps from one power of two to the next, so that few differ and 6 % is lost at most. */
const roundUp = (bytes: number): number => {
  if (bytes <= LEAST_BYTES) return LEAST_BYTES
  const step = Math.max(LEAST_BYTES, 2 ** (Math.floor(Math.log2(bytes)) - 4))
  return Math.ceil(bytes / step) * step
}

/** Buffers of a GPU, in place of tfjs' `BufferManager`.
 *
 * tfjs keeps a buffer that was given back until all commands are handed over, and for requests of exactly its size only, so that a training step
 * allocates twenty times what it needs. Commands of one queue run in order: what one of them has read for the last time, the next may
 * write. So here a buffer is available again at once, to any request that fills most of it, and free memory is limited.
 */
export class GpuBufferPool {
  numBytesUsed = 0
  numBytesAllocated = 0
  /** The most that was used at a time. */
  peakBytes = 0
  /** What does not belong to recorded steps: used now, used at most since the last recording, and allocated. */
  private common = { used: 0, peak: 0, allocated: 0 }
  private readonly slots = new Map<GPUBuffer, Slot>()
  /** Free buffers by usage, those given back last at the end. */
  private readonly free = new Map<number, Slot[]>()
  private arenaFree: Slot[] = []
  private arena?: GpuArena
  private trash: GPUBuffer[] = []

  /**
   * @param create - makes a buffer, and reports when memory runs out
   * @param maxBytes - the largest buffer that can be bound
   */
  constructor(
    private readonly create: (descriptor: GPUBufferDescriptor) => GPUBuffer,
    private readonly maxBytes: number,
  ) {}

  acquireBuffer(size: number, usage: number, mappedAtCreation = false, reuse = true): GPUBuffer {
    const exact = Math.max(4, Math.ceil(size / 4) * 4)
    const rounded = roundUp(size)
    const bytes = mappedAtCreation || rounded > this.maxBytes ? exact : rounded
    const slot =
      (reuse && !mappedAtCreation ? this.take(bytes, usage) : undefined) ??
      this.make(bytes, usage, mappedAtCreation)
    if (this.arena && isStorage(usage)) this.join(slot, this.arena)
    this.use(slot)
    return slot.buffer
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const slot = this.slots.get(buffer)
    if (!slot?.used) return
    slot.used = false
    this.numBytesUsed -= buffer.size
    if (!slot.arena) this.common.used -= buffer.size
    if (slot.arena) {
      if (slot.arena === this.arena && !slot.fixed) this.arenaFree.push(slot)
    } else if (slot.pins === 0) {
      if (reuse) this.freeOf(buffer.usage).push(slot)
      else this.destroy(slot)
    }
  }

  /** From now on everything that is acquired belongs to a recorded step; free memory goes over to it first. */
  openArena(): GpuArena {
    this.arena = { slots: new Set(), pinned: new Set() }
    this.arenaFree = []
    return this.arena
  }

  /** Ends that. What the step has left free is kept for its replays. */
  closeArena(): void {
    this.arena = undefined
    this.arenaFree = []
    this.common.peak = this.common.used
    this.trim(0)
  }

  /** Keeps what is in a step's buffer for all of its replays. */
  fix(buffer: GPUBuffer): void {
    const slot = this.slots.get(buffer)
    if (slot) slot.fixed = true
  }

  /** Takes a buffer that a step has pinned into use again. */
  reclaim(buffer: GPUBuffer): void {
    const slot = this.slots.get(buffer)
    if (slot && !slot.used) this.use(slot)
  }

  /** Keeps somebody else's buffer out of circulation as long as the step is kept. */
  pin(arena: GpuArena, buffer: GPUBuffer): void {
    const slot = this.slots.get(buffer)
    if (!slot || slot.arena === arena || arena.pinned.has(slot)) return
    arena.pinned.add(slot)
    slot.pins++
  }

  /** Gives back the memory of a step that is not needed any more; tensors that still live in it stay. */
  releaseArena(arena: GpuArena): void {
    for (const slot of arena.pinned) {
      slot.pins--
      if (slot.pins === 0 && !slot.used && !slot.arena) this.freeOf(slot.buffer.usage).push(slot)
    }
    for (const slot of arena.slots) {
      slot.arena = undefined
      slot.fixed = false
      this.common.allocated += slot.buffer.size
      if (slot.used) this.common.used += slot.buffer.size
      if (slot.used || slot.pins > 0) continue
      this.freeOf(slot.buffer.usage).push(slot)
    }
    arena.slots.clear()
    arena.pinned.clear()
    this.trim(0)
  }

  /** Destroys what was dropped. Only to be called when no command that is being recorded can refer to it. */
  emptyTrash(): void {
    for (const buffer of this.trash) buffer.destroy()
    this.trash = []
  }

  dispose(): void {
    for (const buffer of this.slots.keys()) buffer.destroy()
    this.emptyTrash()
    this.slots.clear()
    this.free.clear()
    this.numBytesUsed = this.numBytesAllocated = 0
    this.common = { used: 0, peak: 0, allocated: 0 }
  }

  private use(slot: Slot): void {
    const { common } = this
    slot.used = true
    this.numBytesUsed += slot.buffer.size
    this.peakBytes = Math.max(this.peakBytes, this.numBytesUsed)
    if (slot.arena) return
    common.used += slot.buffer.size
    common.peak = Math.max(common.peak, common.used)
  }

  private freeOf(usage: number): Slot[] {
    let list = this.free.get(usage)
    if (list === undefined) this.free.set(usage, (list = []))
    return list
  }

  private take(bytes: number, usage: number): Slot | undefined {
    return (
      (this.arena && isStorage(usage) ? takeBest(this.arenaFree, bytes, usage) : undefined) ??
      takeBest(this.freeOf(usage), bytes, usage)
    )
  }

  private make(bytes: number, usage: number, mappedAtCreation: boolean): Slot {
    this.trim(bytes)
    const buffer = this.create({ size: bytes, usage, mappedAtCreation })
    this.numBytesAllocated += bytes
    this.common.allocated += bytes
    const slot: Slot = { buffer, pins: 0, used: false }
    this.slots.set(buffer, slot)
    return slot
  }

  private join(slot: Slot, arena: GpuArena): void {
    slot.arena = arena
    arena.slots.add(slot)
    this.common.allocated -= slot.buffer.size
  }

  /** Drops what has been free for longest until `bytes` more would leave little enough of it. */
  private trim(bytes: number): void {
    const { common } = this
    const peak = Math.max(common.peak, common.used + bytes)
    const limit = peak + Math.max(peak * SPARE_SHARE, SPARE_BYTES)
    for (const list of this.free.values()) {
      while (common.allocated + bytes > limit && list.length > 0) this.destroy(list.shift()!)
    }
  }

  private destroy(slot: Slot): void {
    this.slots.delete(slot.buffer)
    this.numBytesAllocated -= slot.buffer.size
    this.common.allocated -= slot.buffer.size
    this.trash.push(slot.buffer)
  }
}

/** The smallest buffer that is large enough and not far too large; of equal ones that which was given back last. */
function takeBest(list: Slot[], bytes: number, usage: number): Slot | undefined {
  let best = -1
  for (let i = list.length - 1; i >= 0; i--) {
    const { size, usage: own } = list[i].buffer
    if (own !== usage || size < bytes || size * LEAST_FILL > bytes) continue
    if (best < 0 || size < list[best].buffer.size) best = i
    if (size === bytes) break
  }
  return best < 0 ? undefined : list.splice(best, 1)[0]
}
