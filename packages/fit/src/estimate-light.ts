import { whiteLight } from '@facekit/parameters'
import { underLamp, whitesUnder, type EyeWhites } from './eye-whites.js'
import { findHighlight, type GlossyPoints, type Highlight } from './find-highlight.js'
import { drawToRooms } from './room-light.js'
import { choleskyFactor, choleskySolve } from './landmarks/cholesky.js'
import { shareTone } from './tone-prior.js'
import { solveNormalEquations } from './solve-normal-equations.js'

/** Surface points seen in a picture, in plain arrays. */
export interface ShadedPoints {
  /** P. */
  count: number
  /** `[P * 3]` linear RGB of the picture. */
  colors: Float32Array
  /** `[P * 9]` spherical harmonics of the normals. */
  harmonics: Float32Array
  /** `[P * 3]` mean diffuse albedo. */
  albedoMean: Float32Array
  /** Kt arrays of `[P * 3]`: diffuse modes. */
  albedoModes: Float32Array[]
  /** `[P]` trust in a point, 0 to 1. */
  weights: Float32Array
  /** Without it no highlight is looked for. */
  gloss?: GlossyPoints
  /** Absent: not seen. */
  whites?: EyeWhites
}

/** A first guess of light and albedo. */
export interface LightEstimate {
  /** `[9 * 3]` linear RGB. */
  sphericalHarmonics: Float64Array
  /** `[Kt]` */
  albedo: Float64Array
  /** Undefined where none is seen. */
  highlight: Highlight | undefined
  /** The whites of the eyes, with the highlight that may lie on them; undefined where they are not seen. */
  whites: EyeWhites | undefined
}

/** Noise of a colour, linear. */
const COLOR_DEVIATION = 0.05
/** Neighbouring points are strongly correlated: all together count as this many independent ones. */
const EFFECTIVE_POINTS = 300
/** How far light departs from white light of irradiance 1, for each band of the spherical harmonics. */
const BAND_DEVIATIONS = [0.9, 0.6, 0.3]
/** How far a channel's light departs from the mean over the channels. */
const TINT_DEVIATION = 0.12
/** Highlights that are brighter, summed over the channels, are seldom those of skin. */
const BRIGHTEST_SHINE = 0.4
const ROUNDS = 5

const bandOf = (b: number) => (b === 0 ? 0 : b < 4 ? 1 : 2)
const zeros = (rows: number, columns: number) =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0))

/** Alternates between light and albedo, each a linear least-squares problem with a prior.
 *
 * Light starts without colour, so that the albedo's tone explains the skin's; tint comes in through a tight prior, and at the end what both
 * together say of the colour of light and skin is shared out as `shareTone` finds it likely. The highlight of one lamp is looked for in what is
 * left after a round, and taken away before the next. Points
 * that remain unexplained (hair, cast shadows) lose weight after each round.
 */
export function estimateLight(points: ShadedPoints): LightEstimate {
  const { count, harmonics, albedoMean, albedoModes, gloss } = points
  const colors = points.colors.slice()
  const modes = albedoModes.length
  const albedo = new Float64Array(modes)
  const light = new Float64Array(27)
  const weights = Float64Array.from(points.weights)
  const reflectance = Float64Array.from(albedoMean)
  const shading = new Float64Array(count * 3)
  let highlight: Highlight | undefined
  let whites: EyeWhites | undefined

  const shade = () => {
    for (let p = 0; p < count; p++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let i = 0; i < 9; i++) sum += light[3 * i + c] * harmonics[9 * p + i]
        shading[3 * p + c] = Math.max(sum, 0.05)
      }
    }
  }

  const solveLight = (tinted: boolean, gain: number) => {
    // Unknowns: the common light, then its departures in each channel.
    const size = tinted ? 36 : 9
    const normal = zeros(size, size)
    const right = Array.from({ length: size }, () => 0)
    for (let p = 0; p < count; p++) {
      for (let c = 0; c < 3; c++) {
        const a = reflectance[3 * p + c]
        const w = gain * weights[p]
        for (let i = 0; i < 9; i++) {
          const row = w * a * harmonics[9 * p + i]
          const channel = 9 + 9 * c + i
          right[i] += row * colors[3 * p + c]
          if (tinted) right[channel] += row * colors[3 * p + c]
          for (let j = 0; j < 9; j++) {
            const value = row * a * harmonics[9 * p + j]
            normal[i][j] += value
            if (!tinted) continue
            const other = 9 + 9 * c + j
            normal[i][other] += value
            normal[channel][j] += value
            normal[channel][other] += value
          }
        }
      }
    }
    for (let i = 0; i < size; i++) {
      const deviation = i < 9 ? BAND_DEVIATIONS[bandOf(i)] * whiteLight : TINT_DEVIATION * whiteLight
      normal[i][i] += 1 / deviation ** 2
      if (i === 0) right[i] += whiteLight / deviation ** 2
    }
    const solution = solveNormalEquations(normal, right)
    for (let i = 0; i < 9; i++) {
      for (let c = 0; c < 3; c++) light[3 * i + c] = solution[i] + (tinted ? solution[9 + 9 * c + i] : 0)
    }
    shade()
  }

  const solveAlbedo = (gain: number) => {
    const normal = zeros(modes, modes)
    const right = Array.from({ length: modes }, () => 0)
    const row = new Float64Array(modes)
    for (let p = 0; p < count; p++) {
      if (weights[p] === 0) continue
      for (let c = 0; c < 3; c++) {
        const s = shading[3 * p + c]
        const w = gain * weights[p]
        const residual = colors[3 * p + c] - s * albedoMean[3 * p + c]
        for (let k = 0; k < modes; k++) row[k] = s * albedoModes[k][3 * p + c]
        for (let k = 0; k < modes; k++) {
          const scaled = w * row[k]
          right[k] += scaled * residual
          const target = normal[k]
          for (let j = 0; j <= k; j++) target[j] += scaled * row[j]
        }
      }
    }
    for (let k = 0; k < modes; k++) {
      normal[k][k] += 1
    }
    albedo.set(solveNormalEquations(normal, right))
    reflectance.set(albedoMean)
    for (let k = 0; k < modes; k++) {
      for (let i = 0; i < reflectance.length; i++) reflectance[i] += albedo[k] * albedoModes[k][i]
    }
    for (let i = 0; i < reflectance.length; i++) reflectance[i] = Math.max(reflectance[i], 0.005)
  }

  const reweigh = () => {
    const residuals = new Float64Array(count)
    for (let p = 0; p < count; p++) {
      let sum = 0
      for (let c = 0; c < 3; c++)
        sum += (colors[3 * p + c] - shading[3 * p + c] * reflectance[3 * p + c]) ** 2
      residuals[p] = Math.sqrt(sum)
    }
    const trusted = residuals.filter((_, p) => points.weights[p] > 0.5).sort()
    const median = trusted.length > 0 ? trusted[trusted.length >> 1] : 0.05
    const bound = Math.max(0.02, 2 * median)
    for (let p = 0; p < count; p++)
      weights[p] = points.weights[p] * Math.min(1, bound / Math.max(residuals[p], 1e-6))
  }

  /** Points that are brighter than diffuse light explains keep their trust here: they may be the highlight. */
  const takeHighlight = (gain: number) => {
    if (!gloss) return
    const residual = new Float64Array(count * 3)
    const trust = new Float64Array(count)
    for (let p = 0; p < count; p++) {
      let sum = 0
      for (let c = 0; c < 3; c++) {
        const at = 3 * p + c
        residual[at] = points.colors[at] - shading[at] * reflectance[at]
        sum += residual[at]
      }
      trust[p] = gain * (sum > 0 ? points.weights[p] * Math.min(1, (BRIGHTEST_SHINE / sum) ** 2) : weights[p])
    }
    const normal = new Float64Array(81)
    for (let p = 0; p < count; p++) {
      let square = 0
      for (let c = 0; c < 3; c++) square += reflectance[3 * p + c] ** 2
      for (let i = 0; i < 9; i++)
        for (let j = 0; j <= i; j++)
          normal[9 * i + j] += trust[p] * square * harmonics[9 * p + i] * harmonics[9 * p + j]
    }
    for (let i = 0; i < 9; i++) normal[10 * i] += 1 / (BAND_DEVIATIONS[bandOf(i)] * whiteLight) ** 2
    const factor = choleskyFactor(normal, 9)!
    const solve = (right: Float64Array) => choleskySolve(factor, 9, right)
    highlight = findHighlight(gloss, { residual, harmonics, reflectance, weights: trust, solve })
    const shine = highlight?.shine
    for (let i = 0; i < colors.length; i++)
      colors[i] = Math.max(points.colors[i] - (shine ? shine[Math.floor(i / 3)] : 0), 0)
  }

  const meanOf = (colors: Float64Array): [number, number, number] => {
    const sum: [number, number, number] = [1e-9, 1e-9, 1e-9]
    let total = 3e-9
    for (let p = 0; p < count; p++) {
      total += weights[p]
      for (let c = 0; c < 3; c++) sum[c] += weights[p] * colors[3 * p + c]
    }
    return sum.map((value) => value / total) as [number, number, number]
  }

  /** The model may not have the skin that is likely: what it has not stays in the light. */
  const matchColors = () => {
    for (let c = 0; c < 3; c++) {
      let [seen, shown] = [1e-9, 1e-9]
      for (let p = 0; p < count; p++) {
        seen += weights[p] * colors[3 * p + c]
        shown += weights[p] * shading[3 * p + c] * reflectance[3 * p + c]
      }
      for (let i = 0; i < 9; i++) light[3 * i + c] *= seen / shown
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    const total = weights.reduce((sum, w) => sum + w, 0)
    const gain = Math.min(1, EFFECTIVE_POINTS / Math.max(total, 1)) / COLOR_DEVIATION ** 2
    solveLight(round > 0, gain)
    solveAlbedo(gain)
    reweigh()
    if (round < ROUNDS - 1) {
      if (round > 0) takeHighlight(gain)
      continue
    }
    whites = points.whites && underLamp(points.whites, highlight)
    const factors = shareTone(meanOf(reflectance), [
      { light: meanOf(shading), ...(whites && { whites: whitesUnder(whites, light) }) },
    ])
    for (let i = 0; i < light.length; i++) light[i] /= factors[i % 3]
    for (let i = 0; i < shading.length; i++) shading[i] /= factors[i % 3]
    solveAlbedo(gain)
    drawToRooms(light)
    shade()
    matchColors()
  }
  return { sphericalHarmonics: light, albedo, highlight, whites }
}
