import { luminance } from './luminance.js'
import { enlarge, shrink } from './pyramid.js'

/** What relief is found from, over UV. */
export interface DetailInput {
  size: number
  /** `[S * S * 3]` diffuse albedo with the relief's shading in it, linear RGB; that shading is taken out, in place. */
  color: Float32Array
  /** `[S * S * 3]` albedo of the model: what it knows of is paint, not relief. */
  albedo: Float32Array
  /** `[S * S]` 1 where the surface is. */
  covered: Float32Array
  /** `[S * S]` how far a photograph shows a texel, 0..1. */
  seen: Float32Array
  /** `[S * S * 2]` how the light of the photograph changes with the slope: its gradient over its strength, along u and v. */
  slopes: Float32Array
  /** Side of a texel on the face, mm. */
  texel: number
}

/** Relief over UV. */
export interface DetailMaps {
  /** `[S * S * 3]` unit length, tangent space: x along u, y along v, z out of the surface. */
  normal: Float32Array
  /** `[S * S]` mm outwards. */
  displacement: Float32Array
}

/** Relief is narrower than this share of the map: 24 texels of 1024, about 5 mm of a face. */
const WIDEST = 24 / 1024
/** Logarithms of shades beyond are lashes, hair and dirt. */
const LARGEST_SHADE = 0.22
/** Contrast of the model's own colours at which nothing counts as relief any more. */
const PAINT = 0.1
/** Depth of a furrow for a shade of 1 that is as wide as the widest relief, mm (dark is deep). */
const DEPTH = 1.2
/** How far shading by the lamp's side counts, against dark is deep. */
const SHADING = 1
const PRIOR = 0.08
const STEPS = 14
/** Share of the shade that leaves the albedo: spots are in it, too. */
const REMOVED = 0.6

/** Finds relief in the fine shades of a texture.
 *
 * minimises  sum seen (d + g . grad h)^2 + PRIOR (h - h0)^2: the fine shades d (logarithms) are what the light g makes of the slope of the relief h (linear shape from
 * shading: Pentland, International Journal of Computer Vision 4, 1990), near h0, in which dark is deep (Beeler et al., High-Quality Single-Shot Capture of Facial Geometry, SIGGRAPH
 * 2010, section 5), by conjugate gradients on a grid of half the size.
 */
export function detailMaps(input: DetailInput): DetailMaps {
  const { size, color, covered, texel } = input
  const shade = fineShade(input)
  const half = size >> 1
  const small = shrink(shade, covered, size, 1, 1).values
  const seen = shrink(input.seen, covered, size, 1, 1).values
  const slopes = shrink(input.slopes, covered, size, 2, 1).values
  const expected = small.map((value) => DEPTH * value)
  const relief = shapeFromShading({ shade: small, seen, slopes, expected, size: half, texel: 2 * texel })
  const displacement = enlarge(relief, half, 1, 1)
  for (let i = 0; i < displacement.length; i++) displacement[i] *= covered[i]
  for (let i = 0; i < shade.length; i++) {
    if (shade[i] === 0) continue
    const factor = Math.exp(-REMOVED * shade[i])
    for (let c = 0; c < 3; c++) color[3 * i + c] *= factor
  }
  return { normal: normals(displacement, size, texel), displacement }
}

/** Logarithms of luminance without what is wider than the widest relief, and without paint. */
function fineShade({ size, color, albedo, covered, seen }: DetailInput): Float32Array {
  const levels = Math.max(1, Math.round(Math.log2(size * WIDEST)))
  const fine = (values: Float32Array) => {
    const log = new Float32Array(covered.length)
    for (let i = 0; i < log.length; i++)
      if (covered[i] !== 0) log[i] = Math.log(luminance(values, 3 * i) + 0.01)
    const small = shrink(log, covered, size, 1, levels)
    for (let i = 0; i < small.values.length; i++) small.values[i] /= Math.max(small.weights[i], 1e-6)
    const wide = enlarge(small.values, small.size, 1, levels)
    for (let i = 0; i < log.length; i++) log[i] = covered[i] * (log[i] - wide[i])
    return log
  }
  const shade = fine(color)
  const paint = fine(albedo)
  for (let i = 0; i < shade.length; i++) {
    if (shade[i] === 0) continue
    // The border of what is seen is no relief.
    const surely = Math.min(Math.max((seen[i] - 0.3) / 0.5, 0), 1)
    const bare = Math.max(0, 1 - Math.abs(paint[i]) / PAINT)
    shade[i] = surely * bare * LARGEST_SHADE * Math.tanh(shade[i] / LARGEST_SHADE)
  }
  return shade
}

interface ShadingProblem {
  shade: Float32Array
  seen: Float32Array
  slopes: Float32Array
  expected: Float32Array
  size: number
  texel: number
}

/** The normal equations by conjugate gradients, from the expected relief. */
function shapeFromShading(problem: ShadingProblem): Float32Array {
  const { shade, seen, slopes, expected, size, texel } = problem
  const count = size * size
  const across = SHADING / texel
  /** d + g . grad h, or its linear part; v points up, rows go down. */
  const slopeShade = (h: Float32Array, constant: number) => {
    const result = new Float32Array(count)
    for (let row = 1; row < size; row++)
      for (let column = 0; column < size - 1; column++) {
        const i = row * size + column
        const w = seen[i]
        if (w === 0) continue
        const u = slopes[2 * i] * (h[i + 1] - h[i])
        const v = slopes[2 * i + 1] * (h[i - size] - h[i])
        result[i] = w * (constant * shade[i] + across * (u + v))
      }
    return result
  }
  const transposed = (r: Float32Array) => {
    const result = new Float32Array(count)
    for (let row = 1; row < size; row++)
      for (let column = 0; column < size - 1; column++) {
        const i = row * size + column
        const value = across * seen[i] * r[i]
        if (value === 0) continue
        result[i] -= value * (slopes[2 * i] + slopes[2 * i + 1])
        result[i + 1] += value * slopes[2 * i]
        result[i - size] += value * slopes[2 * i + 1]
      }
    return result
  }
  const apply = (h: Float32Array) => {
    const result = transposed(slopeShade(h, 0))
    for (let i = 0; i < count; i++) result[i] += PRIOR * h[i]
    return result
  }
  const h = expected.slice()
  const residual = transposed(slopeShade(h, 1))
  for (let i = 0; i < count; i++) residual[i] = -residual[i]
  const direction = residual.slice()
  let energy = product(residual, residual)
  for (let step = 0; step < STEPS && energy > 1e-9; step++) {
    const image = apply(direction)
    const along = product(image, direction)
    const length = energy / along
    for (let i = 0; i < count; i++) {
      h[i] += length * direction[i]
      residual[i] -= length * image[i]
    }
    const next = product(residual, residual)
    const share = next / energy
    for (let i = 0; i < count; i++) direction[i] = residual[i] + share * direction[i]
    energy = next
  }
  return h
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function normals(displacement: Float32Array, size: number, texel: number): Float32Array {
  const result = new Float32Array(size * size * 3)
  for (let row = 0; row < size; row++) {
    const above = Math.max(row - 1, 0)
    const below = Math.min(row + 1, size - 1)
    for (let column = 0; column < size; column++) {
      const left = Math.max(column - 1, 0)
      const right = Math.min(column + 1, size - 1)
      const x = (displacement[row * size + left] - displacement[row * size + right]) / (2 * texel)
      const y = (displacement[below * size + column] - displacement[above * size + column]) / (2 * texel)
      const length = Math.sqrt(x * x + y * y + 1)
      const at = 3 * (row * size + column)
      result[at] = x / length
      result[at + 1] = y / length
      result[at + 2] = 1 / length
    }
  }
  return result
}
