import ndarray from 'ndarray'
import { ImageError } from '@facekit/core'
import { firstLine } from './image-header.js'
import type { Picture } from './picture.js'
import { srgbFromLinear } from './wide-samples.js'

/** What `heic-decode` exports. */
type HeicDecode = (options: {
  buffer: Uint8Array
}) => Promise<{ width: number; height: number; data: Uint8ClampedArray }>

/** Decodes a HEIC photograph in Node by the optional package `heic-decode`: sharp's builds have no HEVC, which is patented. */
export async function decodeHeic(bytes: Uint8Array, name: string, displayP3: boolean): Promise<Picture> {
  const decode = await loadDecoder(name)
  try {
    const { width, height, data } = await decode({ buffer: bytes })
    const pixels = new Uint8Array(width * height * 3)
    for (let i = 0; i < width * height; i++) {
      const alpha = data[4 * i + 3] / 255
      for (let c = 0; c < 3; c++) {
        pixels[3 * i + c] = Math.round(255 + alpha * (data[4 * i + c] - 255))
      }
    }
    return ndarray(displayP3 ? srgbFromDisplayP3(pixels) : pixels, [height, width, 3])
  } catch (error) {
    throw new ImageError(`readPicture: ${name}: the file is truncated or damaged (${firstLine(error)})`, {
      cause: error,
    })
  }
}

async function loadDecoder(name: string): Promise<HeicDecode> {
  try {
    // A name in a variable: bundlers must not look for a package that is optional.
    const packageName = 'heic-decode'
    const loaded = (await import(/* webpackIgnore: true */ /* @vite-ignore */ packageName)) as {
      default: HeicDecode
    }
    return loaded.default
  } catch (cause) {
    throw new ImageError(
      `readPicture: ${name}: HEIC needs the optional package heic-decode; npm install heic-decode, or convert the photograph to JPEG`,
      { cause },
    )
  }
}

/** Whether an ICC profile is that of the cameras of iPhones. */
export function isDisplayP3(profile: Uint8Array | undefined): boolean {
  if (!profile) return false
  // The description is in UTF-16 or ASCII.
  return new TextDecoder('latin1').decode(profile).replaceAll('\0', '').includes('Display P3')
}

/** Display P3 to linear sRGB; both have the white of D65 and the curve of sRGB. */
const FROM_P3 = [
  [1.2249401, -0.2249402, 0],
  [-0.0420569, 1.0420571, 0],
  [-0.0196376, -0.0786361, 1.0982735],
]

function srgbFromDisplayP3(pixels: Uint8Array): Uint8Array {
  const linear = Float64Array.from({ length: 256 }, (_, i) => {
    const value = i / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const converted = new Uint8Array(pixels.length)
  for (let i = 0; i < pixels.length; i += 3) {
    const [r, g, b] = [linear[pixels[i]], linear[pixels[i + 1]], linear[pixels[i + 2]]]
    for (const [c, row] of FROM_P3.entries()) {
      const value = row[0] * r + row[1] * g + row[2] * b
      converted[i + c] = Math.round(255 * srgbFromLinear(Math.min(1, Math.max(0, value))))
    }
  }
  return converted
}
