/** Formats of photographs by their first bytes; -1 stands for any byte. */
const FORMATS: readonly (readonly [name: string, start: readonly number[]])[] = [
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['gif', [0x47, 0x49, 0x46, 0x38]],
  ['webp', [0x52, 0x49, 0x46, 0x46, -1, -1, -1, -1, 0x57, 0x45, 0x42, 0x50]],
  ['tiff', [0x49, 0x49, 0x2a, 0x00]],
  ['tiff', [0x4d, 0x4d, 0x00, 0x2a]],
  // BigTIFF
  ['tiff', [0x49, 0x49, 0x2b, 0x00]],
  ['tiff', [0x4d, 0x4d, 0x00, 0x2b]],
  // AVIF, HEIC: an ISO base media file.
  ['heif', [-1, -1, -1, -1, 0x66, 0x74, 0x79, 0x70]],
]

/** Format of a photograph, told from its first bytes alone; nothing for any other file.
 *
 * Decoders go by content, too, and know more: drawings and documents (SVG, PDF), which are programs to be run rather than
 * pixels to be read. Those never reach a decoder.
 */
export const photographFormat = (bytes: Uint8Array): string | undefined =>
  FORMATS.find(([, start]) => start.every((value, i) => value < 0 || bytes[i] === value))?.[0]

/** Whether bytes begin like a text in XML, which SVG is, or like a packed one. */
export const isDrawing = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x1f && bytes[1] === 0x8b) ||
  /^\uFEFF?\s*<(\?xml|svg|!)/i.test(new TextDecoder().decode(bytes.subarray(0, 256)))
