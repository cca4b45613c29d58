import type { MorphableModel } from '@facekit/morphable'
import { anyOf, dilated, gridLevels, oddColors, shareOf } from './odd-colors.js'
import { TEXEL, type PhotographTexture } from './photograph-texture.js'
import { enlarge } from './pyramid.js'

/** Where on a map eyes and brows are; lengths and places in shares of its side, rows from the top. */
export interface EyeZone {
  eyes: readonly Eye[]
  /** Mean width of an eye. */
  width: number
  /** From a little above the brows to the tip of the nose. */
  top: number
  bottom: number
  /** Inner corners of the eyes. */
  bridge: readonly [Place, Place]
  /** Row above which there is the forehead, for each eye. */
  forehead: number
}

type Place = readonly [x: number, y: number]

interface Eye {
  middle: Place
}

/** Share of what surrounds an eye that is covered where glasses lie on it, of both eyes, and of the other one where one lens is found only. */
const WORN = 0.5
const HALF_WORN = 0.08
/** Share of the forehead over an eye that hair covers where it hangs down to the eye. */
const HAIR = 0.3
/** Lengths in widths of an eye: what surrounds an eye, half the height of the bridge, the border of what is found, and how far from it frames are looked for. */
const AROUND = 0.75
const BRIDGE = 0.24
const BORDER = 0.1
const BAND = 0.5
/** Half-axes of the ellipse about an eye that a lens lies in, in widths of the eye. */
const LENS = [1.35, 1.15] as const

/** Finds the eyes of a model on its map; undefined where it has not the landmarks for it. */
export function eyeZone({ landmarks }: MorphableModel, uv: Float32Array): EyeZone | undefined {
  if (landmarks.length < 68) return undefined
  const place = (l: number): Place => [uv[2 * landmarks[l]], 1 - uv[2 * landmarks[l] + 1]]
  const middle = (first: number, last: number): Place => {
    const sum = [0, 0]
    for (let l = first; l <= last; l++) for (const c of [0, 1]) sum[c] += place(l)[c] / (last - first + 1)
    return [sum[0], sum[1]]
  }
  const length = (a: number, b: number) => Math.hypot(place(a)[0] - place(b)[0], place(a)[1] - place(b)[1])
  const width = (length(36, 39) + length(42, 45)) / 2
  const brows = Array.from({ length: 10 }, (_, i) => place(17 + i)[1])
  return {
    eyes: [{ middle: middle(36, 41) }, { middle: middle(42, 47) }],
    width,
    top: Math.min(...brows) - 0.3 * width,
    bottom: place(30)[1],
    bridge: [place(39), place(42)],
    forehead: Math.min(...brows) - 0.15 * width,
  }
}

/** Takes trust from what glasses, their frames and shadows hide or paint on the skin, so that it is filled. In place; without glasses nothing changes.
 *
 * Glasses are worn where what covers the face (`states`) lies around both eyes, or around one and a little of the other and is no hair from above. They are alike on both sides, so
 * what is found of one lens is taken for the other, too, and their bridge lies between the inner corners of the eyes. Near them, in a band that holds frames
 * and temples, skin that departs from its surroundings more than the model's own colours do is theirs. Brows stay.
 *
 * @param states - `[S * S]` a `TEXEL` each
 * @param albedo - `[S * S * 3]` fitted albedo
 * @param brows - `[S * S]` above 0 where the model has brows
 * @param symmetric - whether the two sides of the map mirror each other
 */
export function takeOffGlasses(
  texture: PhotographTexture,
  map: {
    states: Uint8Array
    albedo: Float32Array
    brows: Float32Array
    size: number
    zone: EyeZone
    symmetric: boolean
  },
): void {
  const { states, albedo, brows, size, zone, symmetric } = map
  const levels = gridLevels(size)
  const grid = size >> levels
  const open = shareOf(TEXEL.open, states, size)
  const covered = shareOf(TEXEL.covered, states, size)
  if (!areWorn(open, covered, grid, zone)) return
  const reach = (widths: number) => Math.max(1, Math.round(widths * zone.width * grid))
  const lenses = new Uint8Array(grid * grid)
  for (let row = Math.floor(zone.top * grid); row < zone.bottom * grid; row++) {
    for (let column = 0; column < grid; column++) {
      const at = row * grid + column
      if (
        covered[at] <= open[at] ||
        covered[at] === 0 ||
        !isNearEye(zone, (column + 0.5) / grid, (row + 0.5) / grid)
      )
        continue
      lenses[at] = 1
      if (symmetric) lenses[row * grid + grid - 1 - column] = 1
    }
  }
  const [a, b] = zone.bridge
  fillBand(lenses, grid, [a[0], b[0]], (a[1] + b[1]) / 2 - 0.1 * zone.width, BRIDGE * zone.width)
  const near = dilated(lenses, grid, reach(BAND))
  const hidden = dilated(lenses, grid, reach(BORDER))
  const odd = oddColors(texture, albedo, hidden, size)
  const isBrow = anyOf(brows, size)
  for (let row = 0; row < grid; row++) {
    const inZone = row >= zone.top * grid && row < zone.bottom * grid
    for (let column = 0; column < grid; column++) {
      const at = row * grid + column
      if (!inZone || !near[at] || isBrow[at]) odd[at] = 0
    }
  }
  const frames = dilated(odd, grid, 1)
  const off = Float32Array.from(hidden, (value, at) => Math.max(value, frames[at]))
  const share = enlarge(off, grid, 1, levels)
  for (let texel = 0; texel < share.length; texel++) texture.weight[texel] *= 1 - share[texel]
}

function areWorn(open: Float32Array, covered: Float32Array, grid: number, zone: EyeZone): boolean {
  const share = (isIn: (x: number, y: number) => boolean) => {
    let [hidden, all] = [0, 1e-9]
    for (let at = 0; at < open.length; at++) {
      if (
        open[at] + covered[at] === 0 ||
        !isIn(((at % grid) + 0.5) / grid, (Math.floor(at / grid) + 0.5) / grid)
      )
        continue
      hidden += covered[at]
      all += covered[at] + open[at]
    }
    return hidden / all
  }
  const around = zone.eyes.map(({ middle: [ex, ey] }) =>
    share((x, y) => Math.hypot(x - ex, y - ey) < AROUND * zone.width),
  )
  if (Math.min(...around) >= WORN) return true
  if (Math.max(...around) < WORN || Math.min(...around) < HALF_WORN) return false
  const [ex] = zone.eyes[around.indexOf(Math.max(...around))].middle
  const above = share(
    (x, y) => Math.abs(x - ex) < zone.width && y < zone.forehead && y > zone.forehead - zone.width,
  )
  return above < HAIR
}

/** Whether a lens can be there: beyond are hair and ears. */
function isNearEye({ eyes, width }: EyeZone, x: number, y: number): boolean {
  return eyes.some(
    ({ middle }) => ((x - middle[0]) / LENS[0]) ** 2 + ((y - middle[1]) / LENS[1]) ** 2 < width ** 2,
  )
}

/** A level bar with round ends left out. */
function fillBand(mask: Uint8Array, grid: number, xs: readonly number[], y: number, half: number): void {
  for (let row = Math.floor((y - half) * grid); row <= (y + half) * grid; row++)
    for (let column = Math.floor(Math.min(...xs) * grid); column <= Math.max(...xs) * grid; column++)
      if (row >= 0 && row < grid && column >= 0 && column < grid) mask[row * grid + column] = 1
}
