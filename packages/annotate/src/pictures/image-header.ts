import { imageSize } from 'image-size'
import { ImageError } from '@facekit/core'

/** What a file says of itself in its first bytes, or undefined when it is no known image. */
export function readImageHeader(
  bytes: Uint8Array,
): { type: string; width: number; height: number } | undefined {
  try {
    const { type, width, height } = imageSize(bytes)
    return { type: type ?? 'unknown', width, height }
  } catch {
    return undefined
  }
}

/** Most pixels of a picture: what the networks take, and more than any camera of a telephone has. */
export const MOST_PIXELS = 2 ** 28

/** The error for a picture with too many pixels. */
export function tooLarge(name: string, width: number, height: number, maxPixels: number): ImageError {
  const limit = maxPixels < 1e6 ? `${maxPixels} pixels` : `${Math.round(maxPixels / 1e4) / 100} million`
  return new ImageError(
    `readPicture: ${name}: ${width} x ${height} pixels, expected at most ${limit}; ${maxPixels < MOST_PIXELS ? 'scale it down, or raise maxPixels' : 'scale it down'}`,
  )
}

/** The first line of an error's message. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].trim()
}
