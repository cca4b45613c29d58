import { sampleField } from './pyramid.js'
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
  fill(texture, source, size, false)
}

/** `fillHidden` of a texture from its own other side, as a mirror shows it. */
export function fillFromOtherSide(texture: PartialTexture, size: number): void {
  fill(texture, { color: texture.color.slice(), weight: texture.weight.slice() }, size, true)
}

function fill(texture: PartialTexture, source: PartialTexture, size: number, isMirrored: boolean): void {
  const { color, weight } = texture
  const { known, weights } = seamOf(texture, source, size, isMirrored)
  const grid = size >> LEVELS
  const seams = membrane(known, weights, grid, 3)
  const seam = new Float64Array(3)
  for (let texel = 0; texel < weight.length; texel++) {
    const from = isMirrored ? mirror(texel, size) : texel
    if (source.weight[from] === 0) continue
    const own = Math.min(weight[texel] / TRUSTED, 1)
    if (own === 1) continue
    const other = (1 - own) * Math.min(source.weight[from] / TRUSTED, 1)
    const share = own / (own + other)
    sampleField(
      seam,
      seams,
      grid,
      ((texel % size) + 0.5) / (1 << LEVELS),
      (Math.floor(texel / size) + 0.5) / (1 << LEVELS),
    )
    for (let c = 0; c < 3; c++) {
      const at = 3 * texel + c
      const filled = Math.max(source.color[3 * from + c], DARKEST) * Math.exp(seam[c])
      color[at] = share * color[at] + (1 - share) * filled
    }
    weight[texel] = Math.max(weight[texel], source.weight[from])
  }
}

const mirror = (texel: number, size: number) => texel - 2 * (texel % size) + size - 1

/** Logarithms of texture over source where both are known, times weights, on a grid `LEVELS` halvings coarser. */
function seamOf(
  { color, weight }: PartialTexture,
  source: PartialTexture,
  size: number,
  isMirrored: boolean,
): { known: Float32Array; weights: Float32Array } {
  const grid = size >> LEVELS
  const block = 1 << LEVELS
  const weights = new Float32Array(grid * grid)
  const known = new Float32Array(3 * grid * grid)
  const [own, other] = [new Float64Array(3), new Float64Array(3)]
  for (let cell = 0; cell < weights.length; cell++) {
    const first = Math.floor(cell / grid) * block * size + (cell % grid) * block
    own.fill(0)
    other.fill(0)
    let total = 0
    for (let k = 0; k < block * block; k++) {
      const texel = first + (k >> LEVELS) * size + (k % block)
      if (weight[texel] === 0) continue
      const from = isMirrored ? mirror(texel, size) : texel
      // Over a wide area a little trust would hold as firmly as much of it.
      const both = (Math.min(weight[texel] / TRUSTED, 1) * Math.min(source.weight[from] / TRUSTED, 1)) ** 3
      total += both
      for (let c = 0; c < 3; c++) {
        own[c] += both * color[3 * texel + c]
        other[c] += both * source.color[3 * from + c]
      }
    }
    if (total === 0) continue
    weights[cell] = total / (block * block)
    for (let c = 0; c < 3; c++)
      known[3 * cell + c] =
        weights[cell] * Math.log(Math.max(own[c], DARKEST * total) / Math.max(other[c], DARKEST * total))
  }
  return { known, weights }
}
