import { LIGHT_CHANNELS, SURFACE_CHANNELS } from '../surface-layout.js'

/* Contributor notes
 *
 * Channel by channel in a line each: a loop over six numbers costs more than the six. Bits are copied, as integers: as floats each number
 * is widened and narrowed on its way, which takes twice as long.
 */

const bitsOf = ({ buffer, byteOffset, length }: Float32Array) => new Int32Array(buffer, byteOffset, length)

/** Fills a surface: the colours of the face, and the marks of face and inner mouth, whose triangles start at `faceTriangles`. */
export function surfaceForward(
  colors: Float32Array,
  ids: Int32Array,
  faceTriangles: number,
  surface: Float32Array,
): void {
  const [from, to] = [bitsOf(colors), bitsOf(surface)]
  to.fill(0)
  for (let i = 0, c = 0, s = 0; i < ids.length; i++, c += LIGHT_CHANNELS, s += SURFACE_CHANNELS) {
    const id = ids[i]
    if (id < 0) continue
    if (id >= faceTriangles) {
      surface[s + 7] = 1
      continue
    }
    to[s] = from[c]
    to[s + 1] = from[c + 1]
    to[s + 2] = from[c + 2]
    to[s + 3] = from[c + 3]
    to[s + 4] = from[c + 4]
    to[s + 5] = from[c + 5]
    surface[s + 6] = 1
  }
}

/** Fills the gradient of the colours. */
export function surfaceBackward(
  upstream: Float32Array,
  ids: Int32Array,
  faceTriangles: number,
  colors: Float32Array,
): void {
  const [from, to] = [bitsOf(upstream), bitsOf(colors)]
  to.fill(0)
  for (let i = 0, c = 0, s = 0; i < ids.length; i++, c += LIGHT_CHANNELS, s += SURFACE_CHANNELS) {
    const id = ids[i]
    if (id < 0 || id >= faceTriangles) continue
    to[c] = from[s]
    to[c + 1] = from[s + 1]
    to[c + 2] = from[s + 2]
    to[c + 3] = from[s + 3]
    to[c + 4] = from[s + 4]
    to[c + 5] = from[s + 5]
  }
}
