import ndarray from 'ndarray'
import { ImageError } from '@facekit/core'
import { firstLine, readImageHeader, tooLarge } from './image-header.js'
import type { Picture } from './picture.js'

/** Decodes an image file with what a browser (page or worker) has: createImageBitmap and a canvas off the screen. */
export async function decodeInBrowser(bytes: Uint8Array, name: string, maxPixels: number): Promise<Picture> {
  const header = readImageHeader(bytes)
  if (!header) throw new ImageError(`readPicture: ${name}: not a picture, or its header is damaged`)
  if (header.width * header.height > maxPixels) throw tooLarge(name, header.width, header.height, maxPixels)
  // Browsers draw the missing part of a JPEG grey without a word.
  if (header.type === 'jpg' && !hasEndOfImage(bytes)) {
    throw new ImageError(
      `readPicture: ${name}: the file is truncated or damaged (premature end of JPEG image)`,
    )
  }
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>])
  const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' }).catch((error: unknown) => {
    throw new ImageError(
      `readPicture: ${name}: this browser cannot decode the ${header.type.toUpperCase()} picture (${firstLine(error)})`,
      { cause: error },
    )
  })
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context)
    throw new ImageError(`readPicture: ${name}: no canvas of ${width} x ${height} pixels can be made`)
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, width, height)
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  const rgba = context.getImageData(0, 0, width, height).data
  const pixels = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    pixels[to] = rgba[from]
    pixels[to + 1] = rgba[from + 1]
    pixels[to + 2] = rgba[from + 2]
  }
  return ndarray(pixels, [height, width, 3])
}

/** Whether a JPEG has its end-of-image marker after the last start of a scan (a thumbnail before it has one of its own). */
function hasEndOfImage(bytes: Uint8Array): boolean {
  for (let i = bytes.length - 2; i >= 0; i--) {
    if (bytes[i] !== 0xff) continue
    if (bytes[i + 1] === 0xd9) return true
    if (bytes[i + 1] === 0xda) return false
  }
  return false
}
