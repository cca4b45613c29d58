import { ShapeError, ValueError, writeFileAtomic } from '@facekit/core'
import { encode } from 'fast-png'
import type { NdArray } from 'ndarray'
import { filterPng } from './filter-png.js'

/** A picture: `[H, W]` or `[H, W, C]` with 1, 3 or 4 channels, bytes or encoded numbers in 0..1. */
export type PictureArray = NdArray<Uint8Array | Uint8ClampedArray | Float32Array>

/** Says in a file that facekit made the picture; `facekit annotate` and `facekit reconstruct` pass such files over in folders. */
export const ownPictureText = { Software: 'facekit' } as const

/** Options of `encodePng`. */
export interface EncodePngOptions {
  /** Texts to keep in the file by their keyword, as Latin-1; see `ownPictureText`. */
  text?: Readonly<Record<string, string>>
}

/** Encodes a picture as PNG, 8 bits a channel. Numbers in 0..1 are rounded; what lies outside is clamped.
 *
 * The values are written as they are: the caller encodes light (sRGB, or the paper's gamma 1/2.2).
 *
 * @throws {ShapeError} when the picture is not `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`, or is empty
 * @example
 * encodePng(ndarray(new Uint8Array([255, 0, 0]), [1, 1, 3])) // one red pixel
 */
export function encodePng(picture: PictureArray, options: EncodePngOptions = {}): Uint8Array {
  const { height, width, channels, data } = pictureBytes('encodePng: picture', picture)
  const image = { width, height, channels, depth: 8 as const, data }
  return compressed({ ...image, ...(options.text && { text: { ...options.text } }) })
}

const encodedMaps = new WeakMap<PictureArray, Uint8Array>()

/** A map of a face as PNG with our text: encoded once for all the files that hold it, as that takes longer than the rest of them. */
export function encodeMap(map: PictureArray): Uint8Array {
  const known = encodedMaps.get(map)
  if (known) return known
  const bytes = encodePng(map, { text: ownPictureText })
  encodedMaps.set(map, bytes)
  return bytes
}

/** A map of heights as PNG of 16 bits with our text: with 8, relief of a tenth of a millimetre would be steps. */
export function encodeHeights(map: NdArray<Uint16Array>): Uint8Array {
  const [height, width] = map.shape
  return compressed({ width, height, channels: 1, depth: 16, data: map.data, text: { ...ownPictureText } })
}

const compressed = (image: Parameters<typeof encode>[0]): Uint8Array =>
  filterPng(encode(image, { zlib: { level: 0 } }))

/** Writes a picture as PNG file, whole or not at all. Node only.
 *
 * @throws as `encodePng`, or the file system's own error
 */
export async function writePng(
  picture: PictureArray,
  path: string,
  options: EncodePngOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodePng(picture, options))
}

/** The bytes of a picture, row by row. */
export function pictureBytes(
  who: string,
  picture: PictureArray,
): { height: number; width: number; channels: number; data: Uint8Array } {
  const shape = picture?.shape
  const channels = shape?.length === 2 ? 1 : shape?.[2]
  if (!shape || shape.length < 2 || shape.length > 3 || ![1, 3, 4].includes(channels!)) {
    throw new ShapeError(
      `${who} is ${shape ? `[${shape.join(', ')}]` : typeof picture}, expected [H, W, 1, 3 or 4]`,
    )
  }
  const [height, width] = shape
  if (height * width === 0)
    throw new ShapeError(`${who} is [${shape.join(', ')}], expected at least one pixel`)
  const real = picture.data instanceof Float32Array
  const data = new Uint8Array(height * width * channels!)
  const [strideY, strideX, strideC = 0] = picture.stride
  let to = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels!; c++) {
        const value = picture.data[picture.offset + y * strideY + x * strideX + c * strideC]
        if (Number.isNaN(value))
          throw new ValueError(`${who} has NaN at row ${y}, column ${x}, expected 0..1`)
        data[to++] = real ? Math.round(255 * Math.min(Math.max(value, 0), 1)) : value
      }
    }
  }
  return { height, width, channels: channels!, data }
}
