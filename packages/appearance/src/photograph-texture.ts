import { SEEN_CHANNELS, type SeenFace } from './seen-face.js'
import { smoothstep } from './smoothstep.js'
import type { UvSurface } from './uv-surface.js'

/** What one photograph says about the diffuse albedo, over UV. */
export interface PhotographTexture {
  /** `[S * S * 3]` linear RGB, light and modelled highlight taken away; 0 where nothing is seen. */
  color: Float32Array
  /** `[S * S]` trust, 0..1. */
  weight: Float32Array
  /** `[S * S]` trust in that the face is seen there, burnt out or dark as it may be, 0..1. */
  shown: Float32Array
  /** `[S * S]` how much of the modelled highlight the picture can hold, `LEAST_SHINE`..1; 1 where nothing is seen. */
  shine: Float32Array
  /** `[S * S]` a `TEXEL` each: whether the face or something before it is seen there. */
  states: Uint8Array
}

/** What one photograph has at a texel of the map: nothing, the face, or something before it. */
export const TEXEL = { unknown: 0, open: 1, covered: 2 } as const

/** A surface point this far behind what is seen at its pixel is hidden, mm: about what a pixel of the depth map spans on a slope. */
const HIDDEN = 4
/** Cosines between which trust rises from 0 to 1. */
const GRAZING = [0.12, 0.5] as const
/** Linear values between which a channel is burnt out: less highlight is in it than in the others, and what is left of it has a wrong hue. */
const BURNT = [0.8, 0.95] as const
/** Values of the face region between which trust rises from 0 to 1. */
const COVERED = [0.35, 0.85] as const
/** Light is not divided by less than this share of its channel's mean: noise would be all that is left. */
export const DARKEST = 0.12
/** Distance from the eye's opening over which trust in skin rises from 0 to 1, of the eye's width: about that of lashes. */
const BESIDE = 0.12
/** The most of the faintest channel that a highlight can be. */
const SHINE = 0.7
/** Nothing is wholly matt: an iris without its highlight is a wet surface all the same. */
const LEAST_SHINE = 0.15

/** Brings a photograph to UV and takes the fitted light out of it.
 *
 * albedo = (picture - highlight) / irradiance at each texel whose surface the camera sees; trust falls where the surface turns away, where something
 * covers it, and where the picture is burnt out or nearly black. Skin gets nothing of what lies between the lids, where lids of the fit lie otherwise than
 * those of the photograph.
 */
export function photographTexture(surface: UvSurface, seen: SeenFace): PhotographTexture {
  const { triangleIds, barycentrics, triangles } = surface
  const { vertices, picture, size, depth, depthSize, maskSize, meanLight, eyeOpenings, eyeballs } = seen
  // Strands of hair reach a little further than what is told to be hair.
  const region = eroded(eroded(seen.faceRegion, maskSize), maskSize)
  const color = new Float32Array(triangleIds.length * 3)
  const weight = new Float32Array(triangleIds.length)
  const shown = new Float32Array(triangleIds.length)
  const shine = new Float32Array(triangleIds.length).fill(1)
  const states = new Uint8Array(triangleIds.length)
  const point = new Float64Array(SEEN_CHANNELS)
  const openings = eyeOpenings.map(openingOf)
  const leastLight = meanLight.map((value) => DARKEST * value)
  const lit = leastLight.map((value) => [1.7 * value, 6 * value] as const)
  for (let texel = 0; texel < triangleIds.length; texel++) {
    const id = triangleIds[texel]
    if (id < 0) continue
    const a = barycentrics[3 * texel]
    const b = barycentrics[3 * texel + 1]
    const c = barycentrics[3 * texel + 2]
    const p = triangles[3 * id] * SEEN_CHANNELS
    const q = triangles[3 * id + 1] * SEEN_CHANNELS
    const r = triangles[3 * id + 2] * SEEN_CHANNELS
    for (let n = 0; n < SEEN_CHANNELS; n++)
      point[n] = a * vertices[p + n] + b * vertices[q + n] + c * vertices[r + n]
    const facing = smoothstep(GRAZING, point[3])
    const x = point[0]
    const y = point[1]
    if (facing === 0 || x < 0 || y < 0 || x >= size || y >= size) continue
    if (nearest(depth, depthSize, (x * depthSize) / size, (y * depthSize) / size) > point[2] + HIDDEN)
      continue
    const told = lookUp(region, maskSize, (x * maskSize) / size, (y * maskSize) / size)
    const covered = smoothstep(COVERED, told)
    states[texel] = covered < 0.5 ? TEXEL.covered : TEXEL.open
    if (covered === 0) continue
    let besideEyes = 1
    if (
      eyeballs[triangles[3 * id]] === 0 ||
      eyeballs[triangles[3 * id + 1]] === 0 ||
      eyeballs[triangles[3 * id + 2]] === 0
    )
      for (const opening of openings) besideEyes = Math.min(besideEyes, awayFrom(opening, x, y))
    if (besideEyes === 0) continue
    const u = Math.min(Math.max(x - 0.5, 0), size - 1.001)
    const v = Math.min(Math.max(y - 0.5, 0), size - 1.001)
    const left = Math.floor(u)
    const top = Math.floor(v)
    const right = u - left
    const down = v - top
    let brightest = 0
    let faintest = 1
    let trust = 1
    for (let n = 0; n < 3; n++) {
      const from = 3 * (top * size + left) + n
      const upper = picture[from] * (1 - right) + picture[from + 3] * right
      const lower = picture[from + 3 * size] * (1 - right) + picture[from + 3 * size + 3] * right
      const value = upper * (1 - down) + lower * down
      brightest = Math.max(brightest, value)
      faintest = Math.min(faintest, value)
      trust = Math.min(trust, smoothstep(lit[n], point[4 + n]))
      color[3 * texel + n] = value
    }
    // A highlight that the picture has not, as over lashes and hair, would leave black or glaring colours.
    const most = Math.max(point[7], point[8], point[9])
    const share = Math.min(1, (SHINE * faintest) / Math.max(most, 1e-9))
    shine[texel] = Math.max(share, LEAST_SHINE)
    for (let n = 0; n < 3; n++) {
      const at = 3 * texel + n
      const irradiance = Math.max(point[4 + n], leastLight[n])
      color[at] = Math.min((color[at] - share * point[7 + n]) / irradiance, 1)
    }
    shown[texel] = besideEyes * facing * covered
    weight[texel] = shown[texel] * (0.05 + 0.95 * trust) * (1 - smoothstep(BURNT, brightest))
  }
  return { color, weight, shown, shine, states }
}

/** A polygon with the box beyond which nothing is near it. */
interface Opening {
  polygon: Float32Array
  reach: readonly [number, number]
  left: number
  right: number
  top: number
  bottom: number
}

function openingOf(polygon: Float32Array): Opening {
  const reach = BESIDE * Math.hypot(polygon[6] - polygon[0], polygon[7] - polygon[1])
  const [xs, ys] = [0, 1].map((c) => polygon.filter((_, i) => i % 2 === c))
  return {
    polygon,
    reach: [0, reach],
    left: Math.min(...xs) - reach,
    right: Math.max(...xs) + reach,
    top: Math.min(...ys) - reach,
    bottom: Math.max(...ys) + reach,
  }
}

/** 0 within a polygon, rising to 1 at `BESIDE` of its width from it, so that what is filled there has no edge. */
function awayFrom({ polygon, reach, left, right, top, bottom }: Opening, x: number, y: number): number {
  if (x < left || x > right || y < top || y > bottom) return 1
  let inside = false
  let nearest = Infinity
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const ax = polygon[i]
    const ay = polygon[i + 1]
    const dx = polygon[j] - ax
    const dy = polygon[j + 1] - ay
    // A ray from the place crosses an odd number of sides.
    if (ay > y !== ay + dy > y && x < ax + ((y - ay) / dy) * dx) inside = !inside
    const along = Math.min(
      Math.max(((x - ax) * dx + (y - ay) * dy) / Math.max(dx * dx + dy * dy, 1e-9), 0),
      1,
    )
    nearest = Math.min(nearest, Math.hypot(x - ax - along * dx, y - ay - along * dy))
  }
  return inside ? 0 : smoothstep(reach, nearest)
}

/** The least of each pixel and its eight neighbours: the border of a mask is the border of something else, too. */
function eroded(mask: Float32Array, size: number): Float32Array {
  const across = mask.map((value, at) => {
    const column = at % size
    return Math.min(value, column > 0 ? mask[at - 1] : value, column < size - 1 ? mask[at + 1] : value)
  })
  return across.map((value, at) =>
    Math.min(
      value,
      at >= size ? across[at - size] : value,
      at < across.length - size ? across[at + size] : value,
    ),
  )
}

function lookUp(mask: Float32Array, size: number, x: number, y: number): number {
  const u = Math.min(Math.max(x - 0.5, 0), size - 1.001)
  const v = Math.min(Math.max(y - 0.5, 0), size - 1.001)
  const at = Math.floor(v) * size + Math.floor(u)
  const [right, down] = [u % 1, v % 1]
  const upper = mask[at] * (1 - right) + mask[at + 1] * right
  return upper * (1 - down) + (mask[at + size] * (1 - right) + mask[at + size + 1] * right) * down
}

/** The least of the depths at the four pixels around: at an outline the surface behind is not hidden by the one that ends there. */
function nearest(depth: Float32Array, size: number, x: number, y: number): number {
  const column = Math.min(Math.max(Math.floor(x - 0.5), 0), size - 2)
  const row = Math.min(Math.max(Math.floor(y - 0.5), 0), size - 2)
  const at = row * size + column
  return Math.min(depth[at], depth[at + 1], depth[at + size], depth[at + size + 1])
}
