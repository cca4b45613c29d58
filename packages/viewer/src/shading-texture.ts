import { ClampToEdgeWrapping, DataTexture, LinearFilter, RGBAFormat } from 'three'
import type { CaptureShading } from './capture.js'

/** The shading of a capture as a texture; rows from the top, as glTF has v. */
export function shadingTexture({ width, height, data }: CaptureShading): DataTexture {
  const rgb = atob(data)
  const texels = new Uint8Array(width * height * 4).fill(255)
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4)
    for (let c = 0; c < 3; c++) texels[to + c] = rgb.charCodeAt(from + c)
  const texture = new DataTexture(texels, width, height, RGBAFormat)
  texture.minFilter = LinearFilter
  texture.magFilter = LinearFilter
  texture.wrapS = ClampToEdgeWrapping
  texture.wrapT = ClampToEdgeWrapping
  texture.needsUpdate = true
  return texture
}
