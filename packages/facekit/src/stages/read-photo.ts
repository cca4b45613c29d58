import { readFocalLength, readPicture, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { ImageError } from '@facekit/core'
import ndarray from 'ndarray'
import type { PhotoData } from '../photo-source.js'

/** A photograph that has been read. */
export interface Photo {
  /** Name of the file, where it has one. */
  file: string
  /** Of the photograph itself. */
  width: number
  height: number
  /** What is looked at: the photograph, or a smaller copy of a very large one. */
  picture: Picture
  /** Pixels of the photograph for a pixel of the picture. */
  factor: number
  /** Pixels of the photograph, by EXIF; undefined where it does not say. */
  focalLength: number | undefined
}

/** A photograph with the face in it that is meant. */
export interface SeenPhoto {
  photo: Photo
  annotation: FaceAnnotation
}

/** Longest side of the picture that is looked at, pixels: more than a texture can show. */
const LONGEST = 4096

/** Reads a photograph from any form that a message can carry.
 *
 * @throws {ImageError} when it is no picture, damaged, or too large
 */
export async function readPhoto(data: PhotoData): Promise<Photo> {
  const isFile = typeof data === 'string' || data instanceof Uint8Array || isBlob(data)
  const picture = isFile ? await readPicture(data) : fromPixels(data)
  const [height, width] = picture.shape
  const factor = Math.ceil(Math.max(width, height) / LONGEST)
  const focalLength = isFile ? await readFocalLength(data as string, { width, height }) : undefined
  return { file: nameOf(data), width, height, picture: shrinkPicture(picture, factor), factor, focalLength }
}

const isBlob = (data: PhotoData): data is Blob => typeof Blob !== 'undefined' && data instanceof Blob

function nameOf(data: PhotoData): string {
  if (typeof data === 'string') return data.split(/[/\\]/).at(-1)!.slice(0, 200)
  return isBlob(data) && 'name' in data ? String(data.name) : 'photograph'
}

type Pixels = Exclude<PhotoData, string | Blob | Uint8Array>

function fromPixels(pixels: Pixels): Picture {
  const { width, height } = pixels
  const rgba = 'data' in pixels ? pixels.data : readBitmap(pixels)
  if (rgba.length !== width * height * 4 || rgba.length === 0)
    throw new ImageError(
      `reconstruct: the photograph has ${rgba.length} bytes, expected ${width} x ${height} pixels of 4`,
    )
  const data = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] / 255
    // Over white, as of a file.
    for (let c = 0; c < 3; c++) data[to + c] = Math.round(alpha * rgba[from + c] + 255 * (1 - alpha))
  }
  return ndarray(data, [height, width, 3])
}

function readBitmap(bitmap: ImageBitmap): Uint8ClampedArray {
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new ImageError(`reconstruct: no canvas of ${width} x ${height} pixels can be made`)
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return context.getImageData(0, 0, width, height).data
}

/** A picture whose pixels are the means of squares of `factor` by `factor`; what is left over at the right and below is left out. */
export function shrinkPicture(picture: Picture, factor: number): Picture {
  if (factor <= 1) return picture
  const [height, width] = picture.shape
  const [h, w] = [Math.max(1, Math.floor(height / factor)), Math.max(1, Math.floor(width / factor))]
  const data = new Uint8Array(h * w * 3)
  const { data: from } = picture
  const row = new Float64Array(w * 3)
  for (let y = 0; y < h; y++) {
    row.fill(0)
    for (let j = 0; j < factor; j++) {
      const start = Math.min(y * factor + j, height - 1) * width * 3
      for (let x = 0; x < w; x++)
        for (let i = 0; i < factor; i++)
          for (let c = 0; c < 3; c++) row[3 * x + c] += from[start + 3 * (x * factor + i) + c]
    }
    for (let k = 0; k < row.length; k++) data[y * w * 3 + k] = Math.round(row[k] / factor ** 2)
  }
  return ndarray(data, [h, w, 3])
}
