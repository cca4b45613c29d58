import type { MorphableModel } from '@facekit/morphable'
import ndarray, { type NdArray } from 'ndarray'
import { membrane } from './membrane.js'
import { DARKEST as LEAST_LIGHT } from './photograph-texture.js'
import { shrinkWeighted } from './pyramid.js'
import { SEEN_CHANNELS, type SeenFace } from './seen-face.js'
import { spreadOverUv, uvSurface } from './uv-surface.js'

/** Side of the map: a cell is about 3 mm of a face, narrower than the penumbra of most shadows. Finer ones would keep freckles and wrinkles, which are the skin's. */
const SIDE = 64
/** Logarithms of shading stay within this, either way: beyond are black hair and mirrors. */
const LARGEST = Math.log(4)
const DARKEST = 1e-4

/** What the maps of a face have become of what one photograph showed. */
export interface ShadedTexture {
  /** `[S * S * 3]` what `photographTexture` gave, before anything was taken from it. */
  before: Float32Array
  /** `[S * S]` trust in that it shows the face, without what covers that. */
  weight: Float32Array
  /** `[S * S]` as of `PhotographTexture`. */
  shine: Float32Array
  /** `[S * S * 3]` diffuse albedo of the finished map. */
  diffuse: Float32Array
  /** `[S * S]` share of the fitted specular albedo that the finished map has. */
  kept: Float32Array
}

/** The light of a photograph that its fit does not know, as a factor of the irradiance over UV: shadows of nose, brow and hair, second lamps, highlights that
 * the lamp has not. The fitted light times this map on the finished maps is the photograph again, as far as it is coarse.
 *
 * In a cell of the grid, with what the photograph shows as p E, its irradiance E and the fitted highlight h,
 *   shading = (p + (shine - kept) h / E) / diffuse
 * since shine h was taken from the photograph and kept h will be added to it. Where the photograph shows nothing it goes on smoothly.
 *
 * @returns `[64, 64, 3]` above 0, 1 where the fit has the light right
 */
export async function shadingMap(
  { before, weight, shine, diffuse, kept }: ShadedTexture,
  face: SeenFace,
  model: MorphableModel,
  uv: Float32Array,
): Promise<NdArray<Float32Array>> {
  const size = Math.sqrt(weight.length)
  const levels = Math.log2(size / SIDE)
  const shrunk = (values: Float32Array, channels: number) =>
    shrinkWeighted(values, weight, size, channels, levels)
  const { values: shown, weights } = shrunk(before, 3)
  const matt = shrunk(diffuse, 3).values
  const gone = new Float32Array(shine.length)
  for (let texel = 0; texel < gone.length; texel++) gone[texel] = shine[texel] - kept[texel]
  const off = shrunk(gone, 1).values
  const gloss = spreadOverUv(await uvSurface(model, uv, SIDE), glossOf(face), 3)
  const known = shown.map((value, i) => {
    const cell = Math.floor(i / 3)
    const w = weights[cell]
    if (w === 0) return 0
    const ratio = (value + off[cell] * gloss[i]) / Math.max(matt[i], DARKEST * w)
    return w * Math.min(Math.max(Math.log(Math.max(ratio, DARKEST)), -LARGEST), LARGEST)
  })
  const shading = membrane(known, weights, SIDE, 3).map(Math.exp)
  return ndarray(shading, [SIDE, SIDE, 3])
}

/** `[N * 3]` fitted highlight over irradiance at the vertices. */
function glossOf({ vertices, meanLight }: SeenFace): Float32Array {
  return Float32Array.from({ length: (vertices.length / SEEN_CHANNELS) * 3 }, (_, i) => {
    const at = Math.floor(i / 3) * SEEN_CHANNELS + (i % 3)
    return vertices[at + 7] / Math.max(vertices[at + 4], LEAST_LIGHT * meanLight[i % 3])
  })
}
