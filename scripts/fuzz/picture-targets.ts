import { readPicture } from '@facekit/annotate'
import sharp from 'sharp'
import type { FuzzTargets } from './fuzz-target.js'

/** Largest picture that is decoded: its pixels are what memory is taken for. */
const MOST_PIXELS = 2 ** 22

/** Pictures, in the formats that are read. */
export async function pictureTargets(): Promise<FuzzTargets> {
  const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7 + (i >> 5)) % 256)
  const picture = () => sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } })
  const files: Record<string, Uint8Array> = {
    jpeg: await picture().jpeg().toBuffer(),
    'jpeg-progressive': await picture()
      .withExif({ IFD0: { Copyright: 'x' } })
      .jpeg({ progressive: true })
      .toBuffer(),
    png: await picture().png().toBuffer(),
    webp: await picture().webp().toBuffer(),
    gif: await picture().gif().toBuffer(),
    tiff: await picture().tiff({ compression: 'lzw' }).toBuffer(),
    avif: await picture().avif({ effort: 0 }).toBuffer(),
  }
  const entries = Object.entries(files).map(([name, bytes]) => [
    `picture-${name}`,
    {
      files: [new Uint8Array(bytes)],
      ...(name === 'png' && { repair: repairPng }),
      read: async (file: Uint8Array) => {
        const { shape, data } = await readPicture(file, { maxPixels: MOST_PIXELS })
        if (data.length !== shape[0] * shape[1] * 3)
          throw new Error(`${data.length} bytes for ${shape.join()}`)
      },
    },
  ])
  return Object.fromEntries(entries) as FuzzTargets
}

/** Sets the checksums of the chunks that seem to be there. */
function repairPng(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice()
  const view = new DataView(result.buffer)
  for (let at = 8; at + 12 <= result.length;) {
    const end = at + 8 + view.getUint32(at)
    if (end + 4 > result.length) break
    view.setUint32(end, crc32(result.subarray(at + 4, end)))
    at = end + 4
  }
  return result
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
