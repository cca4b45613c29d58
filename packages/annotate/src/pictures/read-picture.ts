import { assertInteger, ImageError, readRegularFile } from '@facekit/core'
import { decodeInBrowser } from './decode-in-browser.js'
import { decodeWithSharp } from './decode-with-sharp.js'
import { firstLine, MOST_PIXELS } from './image-header.js'
import { isDrawing, photographFormat } from './photograph-format.js'
import type { Picture } from './picture.js'

/** Where a picture comes from: a path (in Node) or a URL (in a browser), or the bytes of an image file. */
export type PictureSource = string | Uint8Array | ArrayBuffer | Blob

/** Options of `readPicture`. */
export interface ReadPictureOptions {
  /** Largest number of pixels, width x height, that is decoded. Default 2^28, 268 million, which is also the most that the networks take. */
  maxPixels?: number
}

/** Reads an image file into upright sRGB pixels.
 *
 * EXIF orientation is applied, transparency is laid over white, colour profiles (CMYK ones too) are converted to sRGB, 16 bits
 * become 8, 32 bits and floating point too, grey becomes three equal channels, of an animation the first frame is taken, of a motion
 * photograph, an MPO or an Ultra HDR file the still picture. JPEG, PNG, WebP, GIF, AVIF and TIFF in Node (by `sharp`), HEIC where
 * `heic-decode` is installed; in a browser, what the browser can show, with CMYK and 16 bits as it converts them.
 *
 * The size is read from the file's header, and checked, before a pixel is decoded. A truncated file is an error, never a
 * half grey picture.
 *
 * @returns `[H, W, 3]` bytes, sRGB
 * @throws {ImageError} no such file, a directory, empty, not a picture, a format that cannot be read, damaged, too large
 * @example
 * const picture = await readPicture('me.jpg')
 * picture.shape // [height, width, 3]
 */
export async function readPicture(source: PictureSource, options: ReadPictureOptions = {}): Promise<Picture> {
  const { maxPixels = MOST_PIXELS } = options
  assertInteger('readPicture: maxPixels', maxPixels, 1)
  const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node)
  const name = typeof source === 'string' ? shorten(source) : `the picture's bytes`
  const bytes = await readBytes(source, name, inNode)
  if (bytes.length === 0) throw new ImageError(`readPicture: ${name}: the file is empty`)
  if (isDrawing(bytes) && !photographFormat(bytes))
    throw new ImageError(`readPicture: ${name}: is a drawing (SVG), expected a photograph; export it as PNG`)
  const decode = inNode ? decodeWithSharp : decodeInBrowser
  return decode(bytes, name, maxPixels)
}

async function readBytes(source: PictureSource, name: string, inNode: boolean): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof Blob !== 'undefined' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer())
  if (typeof source !== 'string') {
    throw new ImageError(
      `readPicture: the source is ${source === null ? 'null' : typeof source}, expected a path, bytes or a Blob`,
    )
  }
  if (inNode) return readFileBytes(source, name)
  const response = await fetch(source).catch((error: unknown) => {
    throw new ImageError(`readPicture: ${name}: cannot be fetched (${firstLine(error)})`, { cause: error })
  })
  if (!response.ok) throw new ImageError(`readPicture: ${name}: the server answers ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function readFileBytes(path: string, name: string): Promise<Uint8Array> {
  try {
    return await readRegularFile(path, LARGEST_FILE)
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    const reasons: Record<string, string> = {
      ENOENT: /^https?:/.test(path) ? 'not a file; download the picture first' : 'no such file',
      ENOTDIR: 'no such file',
      EISDIR: 'is a folder, expected a picture; name a file in it',
      EACCES: 'may not be read (permission denied)',
      EPERM: 'may not be read (permission denied)',
      ENOTREG: 'is a pipe or a device, expected a file',
      EFBIG: 'the file is larger than 2 GiB',
    }
    throw new ImageError(`readPicture: ${name}: ${reasons[code] ?? `cannot be read (${firstLine(error)})`}`, {
      cause: error,
    })
  }
}

/** Largest file that is read. */
const LARGEST_FILE = 2 ** 31

const shorten = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}...` : text).replace(/\s+/g, ' ')
