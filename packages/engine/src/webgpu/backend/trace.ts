/** What the CPU tells the GPU, in order: uniforms and uploads, each as a name and a checksum.
 *
 * A step that is recorded once and replayed must tell it the same every time.
 */
export class GpuTrace {
  private readonly names: string[] = []
  private readonly checksums: number[] = []

  add(name: string, data: ArrayBuffer | ArrayBufferView): void {
    this.names.push(name)
    this.checksums.push(checksum(data))
  }

  /** @returns the name of the first entry that differs */
  difference(other: GpuTrace): string | undefined {
    const count = Math.max(this.names.length, other.names.length)
    for (let i = 0; i < count; i++) {
      if (this.names[i] !== other.names[i] || this.checksums[i] !== other.checksums[i])
        return this.names[i] ?? other.names[i]
    }
    return undefined
  }
}

/** FNV-1a over words of 32 bits. */
function checksum(data: ArrayBuffer | ArrayBufferView): number {
  const words = ArrayBuffer.isView(data)
    ? new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2)
    : new Uint32Array(data)
  let hash = 0x811c9dc5
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193)
  return hash ^ words.length
}
