import { ImageError } from '@facekit/core'

/** Pixels of a picture as canvases have them: `[H, W, 4]` red, green, blue, alpha, row by row from the top left, sRGB. `ImageData` is one. */
export interface RgbaImage {
  width: number
  height: number
  data: Uint8ClampedArray | Uint8Array
}

/** Where a photograph comes from: a path (in Node), an address, the bytes of an image file (JPEG, PNG, WebP, ...), its pixels, or what a page shows. */
export type PhotoSource =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | RgbaImage
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas

/** A photograph that can go to a worker. */
export type PhotoData = string | Blob | Uint8Array | ImageBitmap | RgbaImage

const is = (name: string, value: unknown): boolean => {
  const type = (globalThis as Record<string, unknown>)[name]
  return typeof type === 'function' && value instanceof type
}

/** Makes of any source one that does not need the page. Pixels of elements are copied at once, so that they may change afterwards.
 *
 * @throws {ImageError} when it is no source, or an element shows nothing yet
 */
export async function photoData(source: PhotoSource): Promise<PhotoData> {
  if (typeof source === 'string') return address(source)
  if (source instanceof URL) return source.protocol === 'file:' ? filePath(source) : source.href
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof Blob !== 'undefined' && source instanceof Blob) return source
  if (isImage(source)) return { width: source.width, height: source.height, data: source.data }
  const names = [
    'HTMLImageElement',
    'HTMLCanvasElement',
    'HTMLVideoElement',
    'OffscreenCanvas',
    'ImageBitmap',
  ]
  if (names.some((name) => is(name, source))) {
    try {
      return await createImageBitmap(source)
    } catch (error) {
      throw new ImageError(
        `reconstruct: the ${source.constructor.name} cannot be read (${(error as Error).message}); wait until it is loaded, and load pictures of other sites with crossorigin`,
        { cause: error },
      )
    }
  }
  throw new ImageError(
    `reconstruct: the photograph is ${source === null ? 'null' : typeof source}, expected a path, an address, bytes, a Blob, an image or a canvas`,
  )
}

/** Addresses are relative to the page; a worker has another base. */
function address(source: string): string {
  const page = (globalThis as { location?: { href?: string } }).location?.href
  return page && !isNode() ? new URL(source, page).href : source
}

async function filePath(url: URL): Promise<string> {
  if (!isNode()) return url.href
  const { fileURLToPath } = await import('node:url')
  return fileURLToPath(url)
}

const isImage = (source: object): source is RgbaImage =>
  source !== null &&
  'data' in source &&
  (source.data instanceof Uint8ClampedArray || source.data instanceof Uint8Array) &&
  'width' in source &&
  'height' in source

/** Whether this runs in Node rather than in a browser. */
export const isNode = (): boolean =>
  typeof process !== 'undefined' && Boolean(process.versions?.node) && typeof window === 'undefined'
