import { enlarge, shrink, weighted } from './pyramid.js'
import { membrane } from './membrane.js'

/** Colours over UV, and how far each is known. */
export interface PartialTexture {
  /** `[S * S * 3]` linear RGB, above 0 where it is known. */
  color: Float32Array
  /** `[S * S]` 0..1 */
  weight: Float32Array
}

/** Levels between the texture and the grid that seams are taken up on: they are smooth. */
const LEVELS = 2
/** Trust from which a colour stands for itself. */
const TRUSTED = 0.35
const DARKEST = 1e-3

/** Fills what is not known of a texture from another one, without a seam: the other's details, moved to the colours around the hole. In the
 * logarithm, as light and skin multiply.
 *
 * @param texture - changed in place
 * @param source - taken where the texture is not known; where its own weight is 0, nothing is filled
 */
export function fillHidden(texture: PartialTexture, source: PartialTexture, size: number): void {
  const { color, weight } = texture
  const count = weight.length
  const both = new Float32Array(count)
  for (let texel = 0; texel < count; texel++) {
    // Over a wide area a little trust would hold as firmly as much of it.
    both[texel] = (Math.min(weight[texel] / TRUSTED, 1) * Math.min(source.weight[texel] / TRUSTED, 1)) ** 3
  }
  const small = shrink(weighted(color, both, 3), both, size, 3, LEVELS)
  const others = shrink(weighted(source.color, both, 3), both, size, 3, LEVELS).values
  const known = small.values.map((value, i) => {
    const w = small.weights[Math.floor(i / 3)]
    return w === 0 ? 0 : w * Math.log(Math.max(value, DARKEST * w) / Math.max(others[i], DARKEST * w))
  })
  const seam = enlarge(membrane(known, small.weights, small.size, 3), small.size, 3, LEVELS)
  for (let texel = 0; texel < count; texel++) {
    if (source.weight[texel] === 0) continue
    const own = Math.min(weight[texel] / TRUSTED, 1)
    if (own === 1) continue
    const other = (1 - own) * Math.min(source.weight[texel] / TRUSTED, 1)
    const share = own / (own + other)
    for (let c = 0; c < 3; c++) {
      const at = 3 * texel + c
      const filled = Math.max(source.color[at], DARKEST) * Math.exp(seam[at])
      color[at] = share * color[at] + (1 - share) * filled
    }
    weight[texel] = Math.max(weight[texel], source.weight[texel])
  }
}

/** A texture as a mirror shows it. */
export function mirrored({ color, weight }: PartialTexture, size: number): PartialTexture {
  const other = { color: new Float32Array(color.length), weight: new Float32Array(weight.length) }
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const from = row * size + column
      const to = row * size + size - 1 - column
      other.weight[to] = weight[from]
      for (let c = 0; c < 3; c++) other.color[3 * to + c] = color[3 * from + c]
    }
  }
  return other
}
