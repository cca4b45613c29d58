import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import sharp, { type Sharp } from 'sharp'
import { ImageError, ValueError } from '@facekit/core'
import { readPicture, type Picture } from '@facekit/annotate'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-'))
})
afterAll(() => rm(folder, { recursive: true }))

const colors = [
  [200, 100, 50],
  [30, 160, 90],
  [60, 70, 210],
  [240, 230, 220],
]

/** 24 x 16: four quarters of plain colour, so that every flip and rotation is told apart. */
function quarters(): Sharp {
  const data = Buffer.alloc(24 * 16 * 3)
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 24; x++) {
      data.set(colors[(y < 8 ? 0 : 2) + (x < 12 ? 0 : 1)], (y * 24 + x) * 3)
    }
  }
  return sharp(data, { raw: { width: 24, height: 16, channels: 3 } })
}

const pixel = (picture: Picture, x: number, y: number) => [0, 1, 2].map((c) => picture.get(y, x, c))

function expectQuarters(picture: Picture, tolerance: number, expected = colors): void {
  expect(picture.shape).toEqual([16, 24, 3])
  for (const [i, [x, y]] of [
    [4, 3],
    [20, 3],
    [4, 12],
    [20, 12],
  ].entries()) {
    const found = pixel(picture, x, y)
    found.forEach((value, c) => {
      expect(Math.abs(value - expected[i][c]), `${found} is not ${expected[i]}`).toBeLessThanOrEqual(
        tolerance,
      )
    })
  }
}

const fails = async (source: Parameters<typeof readPicture>[0], message: RegExp, maxPixels?: number) => {
  const error = await readPicture(source, { maxPixels }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ImageError)
  const text = (error as Error).message
  expect(text).toMatch(message)
  expect(text).not.toContain('\n')
  expect(text).toMatch(/^readPicture: /)
}

const noise = () =>
  sharp({
    create: {
      width: 160,
      height: 120,
      channels: 3,
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
      background: '#000',
    },
  })

describe('readPicture', () => {
  it('value: plain formats give the same pixels', async () => {
    expectQuarters(await readPicture(await quarters().png().toBuffer()), 0)
    expectQuarters(await readPicture(await quarters().tiff({ compression: 'lzw' }).toBuffer()), 0)
    expectQuarters(await readPicture(await quarters().webp({ lossless: true }).toBuffer()), 0)
    expectQuarters(
      await readPicture(await quarters().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()),
      4,
    )
    expectQuarters(await readPicture(await quarters().avif({ lossless: true }).toBuffer()), 3)
    expectQuarters(await readPicture(await quarters().gif().toBuffer()), 2)
  })

  it('value: a path, bytes, a buffer and a blob are the same', async () => {
    const bytes = new Uint8Array(await quarters().png().toBuffer())
    const path = join(folder, 'quarters.png')
    await writeFile(path, bytes)
    expectQuarters(await readPicture(path), 0)
    expectQuarters(await readPicture(bytes), 0)
    expectQuarters(await readPicture(bytes.buffer), 0)
    expectQuarters(await readPicture(new Blob([bytes])), 0)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('value: EXIF orientation %i is applied', async (orientation) => {
    // Which sides of the upright picture the first row and the first column of the stored one are (EXIF 2.32, tag 274).
    const upright: Record<number, (row: number, column: number) => [number, number]> = {
      1: (row, column) => [column, row],
      2: (row, column) => [23 - column, row],
      3: (row, column) => [23 - column, 15 - row],
      4: (row, column) => [column, 15 - row],
      5: (row, column) => [row, column],
      6: (row, column) => [23 - row, column],
      7: (row, column) => [23 - row, 15 - column],
      8: (row, column) => [row, 15 - column],
    }
    const [width, height] = orientation < 5 ? [24, 16] : [16, 24]
    const stored = Buffer.alloc(24 * 16 * 3)
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [x, y] = upright[orientation](row, column)
        stored.set(colors[(y < 8 ? 0 : 2) + (x < 12 ? 0 : 1)], (row * width + column) * 3)
      }
    }
    const turned = sharp(stored, { raw: { width, height, channels: 3 } })
    for (const format of ['png', 'jpeg', 'tiff', 'webp'] as const) {
      const file = await turned
        .clone()
        .withMetadata({ orientation })
        .toFormat(format, { quality: 95 })
        .toBuffer()
      expectQuarters(await readPicture(file), 12)
    }
  })

  it('value: grey, grey with alpha, palette', async () => {
    const grey = [40, 90, 160, 250].map((level) => [level, level, level])
    const levels = Buffer.alloc(24 * 16)
    for (let i = 0; i < levels.length; i++) levels[i] = grey[(i < 192 ? 0 : 2) + (i % 24 < 12 ? 0 : 1)][0]
    const grays = sharp(levels, { raw: { width: 24, height: 16, channels: 1 } }).toColourspace('b-w')
    const file = await grays.clone().png().toBuffer()
    expect((await sharp(file).metadata()).channels).toBe(1)
    const picture = await readPicture(file)
    expectQuarters(picture, 0, grey)
    expect(new Set(pixel(picture, 4, 3)).size).toBe(1)
    expectQuarters(await readPicture(await grays.clone().jpeg({ quality: 95 }).toBuffer()), 3, grey)
    const paletted = await quarters().png({ palette: true, dither: 0 }).toBuffer()
    expectQuarters(await readPicture(paletted), 2)
    const greyAlpha = await sharp(file).ensureAlpha(0.5).png().toBuffer()
    const over = await readPicture(greyAlpha)
    expect(over.shape).toEqual([16, 24, 3])
    expect(over.get(3, 4, 0)).toBeCloseTo((pixel(picture, 4, 3)[0] + 255) / 2, -0.5)
  })

  it('value: transparency is laid over white', async () => {
    const file = await quarters().ensureAlpha(0.5).png().toBuffer()
    const over = colors.map((color) => color.map((value) => Math.round((value + 255) / 2)))
    expectQuarters(await readPicture(file), 2, over)
    const clear = await quarters().ensureAlpha(0).png().toBuffer()
    expectQuarters(
      await readPicture(clear),
      0,
      colors.map(() => [255, 255, 255]),
    )
  })

  it('value: 16 bits, also grey, transparent, and with a wide colour profile', async () => {
    expectQuarters(await readPicture(await quarters().toColourspace('rgb16').png().toBuffer()), 1)
    expectQuarters(
      await readPicture(await quarters().toColourspace('rgb16').tiff({ compression: 'lzw' }).toBuffer()),
      1,
    )
    const clear = await quarters().ensureAlpha(0).toColourspace('rgb16').png().toBuffer()
    expectQuarters(
      await readPicture(clear),
      0,
      colors.map(() => [255, 255, 255]),
    )
    const wide = await quarters().toColourspace('rgb16').withIccProfile('p3').png().toBuffer()
    expect((await sharp(wide).metadata()).depth).toBe('ushort')
    expectQuarters(await readPicture(wide), 3)
    const grey = await readPicture(await quarters().toColourspace('grey16').png().toBuffer())
    expect(grey.shape).toEqual([16, 24, 3])
  })

  it('value: a wide colour profile is converted to sRGB', async () => {
    const file = await quarters().withIccProfile('p3').png().toBuffer()
    expectQuarters(await readPicture(file), 3)
  })

  it('value: CMYK with and without a profile', async () => {
    // Printing inks reach fewer colours: saturated ones move, but red stays red.
    const withProfile = await quarters().withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer()
    expect((await sharp(withProfile).metadata()).space).toBe('cmyk')
    expectQuarters(await readPicture(withProfile), 75)
    const without = await quarters().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
    const header = await sharp(without).metadata()
    expect([header.space, header.hasProfile]).toEqual(['cmyk', false])
    expectQuarters(await readPicture(without), 75)
    const [r, g, b] = pixel(await readPicture(without), 4, 3)
    expect(r - g).toBeGreaterThan(60)
    expect(g - b).toBeGreaterThan(20)
  })

  it('value: one pixel, and the first frame of an animation', async () => {
    const one = sharp({ create: { width: 1, height: 1, channels: 3, background: '#102030' } })
    const picture = await readPicture(await one.png().toBuffer())
    expect(picture.shape).toEqual([1, 1, 3])
    expect(pixel(picture, 0, 0)).toEqual([16, 32, 48])
    const frames = [await quarters().png().toBuffer(), await quarters().negate().png().toBuffer()]
    const animation = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    expect((await sharp(animation).metadata()).pages).toBe(2)
    expectQuarters(await readPicture(animation), 2)
  })

  it('throws: no such file, a folder, an empty file, what is not a picture', async () => {
    await fails(join(folder, 'none.jpg'), /none\.jpg: no such file/)
    await fails(folder, /is a folder, expected a picture/)
    await writeFile(join(folder, 'empty.jpg'), '')
    await fails(join(folder, 'empty.jpg'), /empty\.jpg: the file is empty/)
    await writeFile(join(folder, 'text.jpg'), 'This is no picture at all.\nNot one bit.')
    await fails(join(folder, 'text.jpg'), /text\.jpg: not a picture, expected JPEG/)
    await fails(new Uint8Array(0), /empty/)
    await fails('https://example.org/a.jpg', /download the picture first/)
    await fails(42 as unknown as string, /the source is number, expected a path/)
  })

  it('throws: a truncated file is no half picture', async () => {
    const jpeg = await noise().jpeg().toBuffer()
    const progressive = await sharp(jpeg).jpeg({ progressive: true }).toBuffer()
    for (const file of [jpeg, progressive]) {
      for (const share of [0.05, 0.3, 0.6, 0.95]) {
        await fails(file.subarray(0, Math.round(file.length * share)), /truncated|damaged|not a picture/)
      }
      await fails(file.subarray(0, file.length - 2), /truncated or damaged/)
    }
    // Whether a decoder minds that only the end marker is missing depends on the bits before it.
    for (let i = 0; i < 20; i++) {
      const any = await noise().jpeg().toBuffer()
      await fails(any.subarray(0, any.length - 2), /truncated or damaged/)
    }
    const png = await noise().png().toBuffer()
    await fails(png.subarray(0, png.length >> 1), /truncated or damaged/)
    const webp = await noise().webp().toBuffer()
    await fails(webp.subarray(0, webp.length >> 1), /truncated or damaged/)
  })

  it('throws: formats that cannot be read are named', async () => {
    const bitmap = Buffer.alloc(70)
    bitmap.write('BM')
    bitmap.writeUInt32LE(54, 10)
    bitmap.writeUInt32LE(40, 14)
    bitmap.writeInt32LE(2, 18)
    bitmap.writeInt32LE(2, 22)
    await fails(bitmap, /the format BMP cannot be read, expected JPEG/)
  })

  it('throws: drawings, packed ones too, and whatever calls itself a picture', async () => {
    const drawing =
      '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>'
    for (const text of [
      drawing,
      `<?xml version="1.0"?>\n${drawing}`,
      `\uFEFF  ${drawing}`,
      `<!-- -->${drawing}`,
    ])
      await fails(Buffer.from(text), /is a drawing \(SVG\), expected a photograph/)
    await fails(gzipSync(drawing), /is a drawing/)
    await writeFile(join(folder, 'photograph.jpg'), drawing)
    await fails(join(folder, 'photograph.jpg'), /photograph\.jpg: is a drawing/)
    await fails(Buffer.from(drawing, 'utf16le'), /not a picture/)
    await fails(Buffer.from('%PDF-1.4\n'), /not a picture/)
  })

  it.skipIf(process.platform === 'win32')('throws: pipes and devices are not opened', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')])
    await fails(join(folder, 'pipe.jpg'), /is a pipe or a device/)
    await fails('/dev/zero', /is a pipe or a device/)
  })

  it('throws: too many pixels, before any is decoded', async () => {
    // The header of a PNG of 30,000 x 30,000 pixels, and no pixels.
    const png = await noise().png().toBuffer()
    png.writeUInt32BE(30000, 16)
    png.writeUInt32BE(30000, 20)
    const { crc32 } = await import('node:zlib').then(
      (zlib) => zlib as { crc32?: (data: Uint8Array) => number },
    )
    png.writeUInt32BE(crc32 ? crc32(png.subarray(12, 29)) : checksum(png.subarray(12, 29)), 29)
    await fails(png, /30000 x 30000 pixels, expected at most 268.44 million; scale it down$/)
    const small = await quarters().png().toBuffer()
    await fails(small, /24 x 16 pixels, expected at most 383 pixels/, 383)
    expectQuarters(await readPicture(small, { maxPixels: 384 }), 0)
    await expect(readPicture(small, { maxPixels: 0 })).rejects.toThrow(ValueError)
  })
})

/** CRC-32 as in PNG; older versions of Node have none. */
function checksum(data: Uint8Array): number {
  let crc = ~0
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
