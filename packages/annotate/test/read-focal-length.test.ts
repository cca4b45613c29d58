import { equivalentFocalLength, readFocalLength } from '@facekit/annotate'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'

const size = { width: 80, height: 60 }

function photograph(exif: Record<string, string>, type: 'jpeg' | 'png' | 'webp' = 'jpeg'): Promise<Buffer> {
  const image = sharp({ create: { ...size, channels: 3, background: '#888' } })
  return image.withExif({ IFD2: exif }).toFormat(type).toBuffer()
}

/** Writes another height into the EXIF, which sharp fills with that of the picture. */
function withHeight(bytes: Buffer, height: number): Buffer {
  const bigEndian = bytes.includes('Exif\0\0MM')
  const tag = bytes.indexOf(Buffer.from(bigEndian ? [0xa0, 0x03, 0x00] : [0x03, 0xa0]))
  // A whole number of two or of four bytes; a small one begins at the same place in both, little endian.
  const isShort = bytes[tag + (bigEndian ? 3 : 2)] === 3
  if (bigEndian) bytes.writeUInt16BE(height, tag + (isShort ? 8 : 10))
  else bytes.writeUInt16LE(height, tag + 8)
  return bytes
}

describe('readFocalLength', () => {
  it('value: the 35 mm equivalent over the diagonal of the picture', async () => {
    expect(equivalentFocalLength(26, { width: 4000, height: 3000 })).toBeCloseTo((26 / 43.267) * 5000, 0)
    const focal = await readFocalLength(await photograph({ FocalLengthIn35mmFilm: '26' }), size)
    expect(focal).toBeCloseTo((26 / 43.267) * 100, 1)
  })

  it('value: upright or on its side, the shape is the same', async () => {
    const bytes = await photograph({ FocalLengthIn35mmFilm: '50' })
    expect(await readFocalLength(bytes, { width: 60, height: 80 })).toBeCloseTo((50 / 43.267) * 100, 1)
  })

  it('value: none where the file does not say it, says 0, was cropped, or is no picture', async () => {
    expect(await readFocalLength(await photograph({}), size)).toBeUndefined()
    expect(await readFocalLength(await photograph({ FocalLengthIn35mmFilm: '0' }), size)).toBeUndefined()
    const cropped = withHeight(await photograph({ FocalLengthIn35mmFilm: '26' }), 40)
    expect(await readFocalLength(cropped, size)).toBeUndefined()
    expect(await readFocalLength(new Uint8Array(100), size)).toBeUndefined()
    expect(await readFocalLength('/no/such/file.jpg', size)).toBeUndefined()
  })
})
