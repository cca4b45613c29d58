import { srgbBytes } from './color-encoding.js'

/** What is behind the lips, where triangles close the mouth: linear RGB. */
export const mouthColor: readonly [number, number, number] = [0.02, 0.006, 0.006]

/** The same as sRGB bytes: 39, 18, 18. */
export const mouthBytes = (): Uint8Array => srgbBytes(Float32Array.from(mouthColor))
