/** Component types of glTF that only normalised numbers have here: BYTE and SHORT. */
const SIGNED = new Set([5120, 5122])
/** Header of the file and of its first chunk, whose data is JSON. */
const JSON_START = 20

/** Marks all accessors of signed integers in a GLB as normalised.
 *
 * glTF-Transform 4.5 writes sparse accessors by their decoded values: of normalised integers, all of which are below 1, nothing is left. Written as if they were not
 * normalised they come out right, and are marked afterwards.
 */
export function markNormalized(glb: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(glb.buffer, glb.byteOffset, glb.byteLength)
  const end = JSON_START + view.getUint32(12, true)
  const json = JSON.parse(new TextDecoder().decode(glb.subarray(JSON_START, end))) as {
    accessors: { componentType: number; normalized?: boolean }[]
  }
  for (const accessor of json.accessors) if (SIGNED.has(accessor.componentType)) accessor.normalized = true
  const text = new TextEncoder().encode(JSON.stringify(json))
  const length = Math.ceil(text.length / 4) * 4
  const result = new Uint8Array(JSON_START + length + glb.length - end)
  result.set(glb.subarray(0, JSON_START))
  result.fill(0x20, JSON_START, JSON_START + length)
  result.set(text, JSON_START)
  result.set(glb.subarray(end), JSON_START + length)
  const header = new DataView(result.buffer)
  header.setUint32(8, result.length, true)
  header.setUint32(12, length, true)
  return result
}
