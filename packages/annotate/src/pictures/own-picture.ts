/** Whether a picture's file says that facekit made it: panels, maps, contact sheets, crops. Only what stands before the pixels is read.
 *
 * @param bytes - a PNG or JPEG file, or its beginning
 */
export function isOwnPicture(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47]))
    return pngChunks(view).some(([type, at, size]) => names(bytes, type, at, size))
  if (startsWith(bytes, [0xff, 0xd8]))
    return jpegSegments(view).some(([type, at, size]) => names(bytes, type, at, size))
  return false
}

const startsWith = (bytes: Uint8Array, start: readonly number[]) =>
  start.every((value, i) => bytes[i] === value)

type Part = [type: string, at: number, size: number]

/** Text and EXIF before the pixels. */
function pngChunks(view: DataView): Part[] {
  const parts: Part[] = []
  for (let at = 8; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at)
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)))
    if (type === 'IDAT') break
    if (type === 'tEXt' || type === 'eXIf') parts.push([type, at + 8, size])
    at += size + 12
  }
  return parts
}

/** EXIF before the first scan. */
function jpegSegments(view: DataView): Part[] {
  const parts: Part[] = []
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1)
    if (marker === 0xda) break
    const size = view.getUint16(at + 2)
    if (marker === 0xe1) parts.push(['eXIf', at + 4, size - 2])
    at += size + 2
  }
  return parts
}

/** Whether a part has the software's name: all of a text, or a string of its own in EXIF. */
function names(bytes: Uint8Array, type: string, at: number, size: number): boolean {
  const text = new TextDecoder('latin1').decode(bytes.subarray(at, at + Math.min(size, 65_536)))
  return type === 'tEXt' ? text === 'Software\0facekit' : text.includes('\0facekit\0')
}
