/** Unpacks a gzip file; bytes that do not begin as one are given back as they are. In Node and in browsers.
 *
 * @param most - largest content, bytes: a gzip file may hold a thousand times its own size
 * @throws {Error} when it is damaged, is cut off, or holds more
 */
export async function unpackGzip(
  bytes: Uint8Array<ArrayBuffer>,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > most) throw new Error(`more than ${most} bytes are packed in it`)
      parts.push(value)
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined)
    throw new Error(`damaged: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
