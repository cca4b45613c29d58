/** A place in a GPU buffer. */
export interface GpuRange {
  buffer: GPUBuffer
  offset: number
  size: number
}

interface Page {
  buffer: GPUBuffer
  bytes: Uint8Array
  used: number
  written: number
}

/** Small data on its way to the GPU: collected on the CPU, handed over in one piece before the commands that read it.
 *
 * tfjs makes a buffer, and a write of its own, for every set of uniforms and for every scalar.
 */
export class GpuPages {
  private pages: Page[] = []
  private current = 0

  constructor(
    private readonly device: GPUDevice,
    private readonly usage: number,
    private readonly pageBytes: number,
    private readonly alignment: number,
  ) {}

  /** Most that `add` takes. */
  get capacity(): number {
    return this.pageBytes
  }

  get allocatedBytes(): number {
    return this.pages.length * this.pageBytes
  }

  /** Takes a copy of `data`, which will be at the returned place when the next commands run. */
  add(data: ArrayBuffer | ArrayBufferView): GpuRange {
    const bytes =
      data instanceof ArrayBuffer
        ? new Uint8Array(data)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    let page = this.pages[this.current]
    if (page && page.used + bytes.length > this.pageBytes) page = this.pages[++this.current]
    if (page === undefined) {
      const buffer = this.device.createBuffer({
        label: 'facekit_pages',
        size: this.pageBytes,
        usage: this.usage | GPUBufferUsage.COPY_DST,
      })
      page = { buffer, bytes: new Uint8Array(this.pageBytes), used: 0, written: 0 }
      this.pages[this.current] = page
    }
    const offset = page.used
    page.bytes.set(bytes, offset)
    page.used = Math.ceil((offset + bytes.length) / this.alignment) * this.alignment
    return { buffer: page.buffer, offset, size: bytes.length }
  }

  /** Hands over what was added since the last time; call it right before the commands are submitted. */
  write(): void {
    for (const page of this.pages) {
      const end = Math.min(page.used, this.pageBytes)
      if (end > page.written)
        this.device.queue.writeBuffer(page.buffer, page.written, page.bytes, page.written, end - page.written)
      page.written = end
    }
  }

  /** Starts again: writes come after everything that was submitted, so nothing of it is disturbed. */
  reset(): void {
    for (const page of this.pages) page.used = page.written = 0
    this.current = 0
  }

  destroy(): void {
    for (const { buffer } of this.pages) buffer.destroy()
    this.pages = []
    this.current = 0
  }
}
