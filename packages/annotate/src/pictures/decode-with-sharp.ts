import ndarray from 'ndarray'
import { ImageError } from '@facekit/core'
import type { Metadata, Sharp } from 'sharp'
import { decodeHeic, isDisplayP3 } from './decode-heic.js'
import { firstLine, readImageHeader, tooLarge } from './image-header.js'
import { photographFormat } from './photograph-format.js'
import type { Picture } from './picture.js'
import { encodeWideSamples } from './wide-samples.js'

/** Decodes an image file in Node. `sharp` is loaded here only, so that browsers never ask for it. */
export async function decodeWithSharp(bytes: Uint8Array, name: string, maxPixels: number): Promise<Picture> {
  if (photographFormat(bytes) === undefined)
    throw unreadable(bytes, name, new Error('unsupported image format'))
  const { default: sharp } = await import('sharp')
  const open = () => {
    // failOn 'error' includes 'truncated', and lets harmless warnings (stray bytes, odd EXIF) pass.
    return sharp(bytes, { failOn: 'error', autoOrient: true, limitInputPixels: false, pages: 1 })
  }
  const header = await open()
    .metadata()
    .catch((error: unknown) => {
      throw unreadable(bytes, name, error)
    })
  const { width, height } = header
  if (width * height > maxPixels) throw tooLarge(name, width, height, maxPixels)
  if (header.format === 'jpeg' && !hasEndOfImage(bytes)) {
    throw unreadable(bytes, name, new Error('truncated: no end of image'))
  }
  if (header.format === 'heif' && header.compression === 'hevc') {
    return decodeHeic(bytes, name, isDisplayP3(header.icc))
  }
  if (header.depth && WIDE.has(header.depth)) return readWideSamples(open(), header, name)
  let pipeline = open().flatten({ background: '#ffffff' }).toColourspace('srgb')
  // sharp converts 16-bit pixels with a profile to Display P3, its wide working space; this brings them to sRGB.
  if (header.depth === 'ushort' && header.hasProfile) pipeline = pipeline.withIccProfile('srgb')
  try {
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return toPicture(data, info.width, info.height, info.channels)
  } catch (error) {
    throw unreadable(bytes, name, error)
  }
}

/** Samples that are wider than 16 bits. */
const WIDE = new Set(['uint', 'int', 'float', 'double'])

async function readWideSamples(
  image: Sharp,
  { depth, width, height }: Metadata,
  name: string,
): Promise<Picture> {
  const real = depth === 'float' || depth === 'double'
  // libvips holds floating-point colours as scRGB, and would clip them on the way to sRGB.
  const pipeline = real ? image.pipelineColourspace('scrgb').toColourspace('scrgb') : image
  const { data, info } = await pipeline
    .raw({ depth: 'float' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new ImageError(`readPicture: ${name}: cannot be decoded (${firstLine(error)})`, { cause: error })
    })
  const samples = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))
  const picture = toPicture(
    encodeWideSamples(samples, real ? 'float' : 'integer'),
    info.width,
    info.height,
    info.channels,
  )
  if (width * height !== info.width * info.height) {
    throw new ImageError(`readPicture: ${name}: the file is damaged (its header names another size)`)
  }
  return picture
}

/** Whether the marker that ends a JPEG is anywhere in it. Whether the decoder misses it depends on the last bits before it; cameras
 * may write more behind it. */
function hasEndOfImage(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(Buffer.of(0xff, 0xd9)) >= 0
}

function toPicture(data: Uint8Array, width: number, height: number, channels: number): Picture {
  const count = width * height
  // A copy of its own: small buffers of Node share one pool.
  if (channels === 3 && data.length === data.buffer.byteLength) {
    return ndarray(new Uint8Array(data.buffer), [height, width, 3])
  }
  const pixels = new Uint8Array(count * 3)
  if (channels === 3) pixels.set(data)
  else {
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < 3; c++) pixels[i * 3 + c] = data[i * channels + (channels > 3 ? c : 0)]
    }
  }
  return ndarray(pixels, [height, width, 3])
}

function unreadable(bytes: Uint8Array, name: string, cause: unknown): ImageError {
  const reason = firstLine(cause)
  const type = readImageHeader(bytes)?.type
  const formats = 'JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF'
  const text = () => {
    if (/unsupported image format/i.test(reason)) {
      return type
        ? `the format ${type.toUpperCase()} cannot be read, expected ${formats}; convert it`
        : `not a picture, expected ${formats}`
    }
    if (/premature|truncat|end of|read error|unexpected eof|not enough|unable to parse/i.test(reason)) {
      return `the file is truncated or damaged (${reason})`
    }
    return `cannot be decoded (${reason})`
  }
  return new ImageError(`readPicture: ${name}: ${text()}`, { cause })
}
