import { assertInteger } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { flatValues, type Values } from './flat-values.js'
import { fillOutside } from './fill-outside.js'

/** Options of `bakeTexture`. */
export interface BakeTextureOptions {
  /** Width and height of the texture in texels, 1 to 8192. Default 512. */
  size?: number
}

/** Draws colours of vertices over texture space.
 *
 * A texel whose centre lies in a triangle gets the colour between its three vertices, in the smallest one where several overlap; texels outside of all triangles get
 * the colours of the nearest border, so that filtering and mipmaps show no seam.
 *
 * @param colors - `[N, 3]`
 * @param uv - `[N, 2]` in 0..1, origin at the lower left
 * @param triangles - `[F * 3]` vertex indices
 * @returns `[size, size, 3]`, the top row first (v = 1)
 * @throws {ShapeError} when sizes do not fit
 * @throws {ValueError} when the size of the texture is absurd
 */
export function bakeTexture(
  colors: Values,
  uv: Values,
  triangles: Int32Array,
  options: BakeTextureOptions = {},
): NdArray<Float32Array> {
  const { size = 512 } = options
  assertInteger('bakeTexture: size', size, 1, 8192)
  const places = flatValues('bakeTexture: uv', uv, 2)
  const values = flatValues('bakeTexture: colors', colors, 3, places.length / 2)
  const texture = new Float32Array(size * size * 3)
  const covered = new Uint8Array(size * size)
  for (const t of largestFirst(places, triangles)) {
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [ax, ay] = [places[2 * a] * size, (1 - places[2 * a + 1]) * size]
    const [bx, by] = [places[2 * b] * size, (1 - places[2 * b + 1]) * size]
    const [cx, cy] = [places[2 * c] * size, (1 - places[2 * c + 1]) * size]
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if (area === 0) continue
    // Centres of texels are at +0.5.
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5))
    const right = Math.min(size - 1, Math.floor(Math.max(ax, bx, cx) - 0.5))
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5))
    const bottom = Math.min(size - 1, Math.floor(Math.max(ay, by, cy) - 0.5))
    for (let row = top; row <= bottom; row++) {
      const y = row + 0.5
      for (let column = left; column <= right; column++) {
        const x = column + 0.5
        const wb = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        const wc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        const wa = 1 - wb - wc
        // A hair of tolerance: no texel on a shared edge may be left out by rounding.
        if (wa < -1e-6 || wb < -1e-6 || wc < -1e-6) continue
        const texel = row * size + column
        covered[texel] = 1
        for (let i = 0; i < 3; i++) {
          texture[3 * texel + i] = wa * values[3 * a + i] + wb * values[3 * b + i] + wc * values[3 * c + i]
        }
      }
    }
  }
  fillOutside(texture, covered, size)
  return ndarray(texture, [size, size, 3])
}

/** Triangles by their area over UV, the largest first: where a closed surface had to be spread without seams, a few of them span all the
 * others.
 *
 * @returns places in `triangles`
 */
function largestFirst(uv: Float32Array, triangles: Int32Array): Uint32Array {
  const areas = new Float64Array(triangles.length / 3)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 2, triangles[t + 1] * 2, triangles[t + 2] * 2]
    areas[t / 3] = Math.abs(
      (uv[b] - uv[a]) * (uv[c + 1] - uv[a + 1]) - (uv[c] - uv[a]) * (uv[b + 1] - uv[a + 1]),
    )
  }
  return Uint32Array.from(areas.keys())
    .sort((a, b) => areas[b] - areas[a])
    .map((triangle) => triangle * 3)
}
