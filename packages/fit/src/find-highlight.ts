import { sphereDirections } from '@facekit/illumination'

/** What a glossy surface shows, at P points. */
export interface GlossyPoints {
  /** `[P * 3]` unit length. */
  normals: Float32Array
  /** `[P * 3]` unit length, from the surface to the camera. */
  toCamera: Float32Array
  /** `[P]` mean specular albedo; 0 where gloss is not to be looked for. */
  specular: Float32Array
}

/** A lamp far away, found by its highlight. */
export interface Highlight {
  /** Unit length, from the face to the lamp. */
  direction: [number, number, number]
  /** Linear, as `lightColor` of `shadeSpecular`. */
  strength: number
  shininess: number
  /** `[P]` what it adds to each channel, linear. */
  shine: Float32Array
}

/** What is known of the rest of the light when a highlight is looked for. */
export interface MattPoints {
  /** `[P * 3]` picture less diffuse light, linear RGB. */
  residual: Float64Array
  /** `[P * 9]` spherical harmonics of the normals. */
  harmonics: Float32Array
  /** `[P * 3]` */
  reflectance: Float64Array
  /** `[P]` */
  weights: Float64Array
  /** Solves `A x = b` with the normal matrix of nine gray harmonics. */
  solve: (right: Float64Array) => ArrayLike<number>
}

const DIRECTIONS = sphereDirections(160).filter(([, , z]) => z > 0.1)
const SHININESS = [12, 20, 32]
/** Each refinement tries eight neighbours at this distance. */
const STEPS = [0.12, 0.04, 0.013]
/** No lamp gives more than all the light that cameras expose for: irradiance 1 through the lobe's own height, (m + 8) / 8 for the exponent m. */
const strongest = (shininess: number) => (shininess + 8) / 8
/** The least share of the residual that a highlight has to explain. */
const LEAST_GAIN = 0.01

/** Finds the lamp whose highlight explains most of what diffuse light leaves of a picture: gray, where skin has colour (Shafer, Color Research and
 * Application 10, 1985), and at the half vector of lamp and camera (Blinn-Phong).
 *
 * For each of some directions and exponents the strength is the least-squares one, together with nine gray harmonics, so that what they could explain as well
 * counts for neither.
 *
 * @returns undefined when none explains at least a hundredth of the residual
 */
export function findHighlight(gloss: GlossyPoints, matt: MattPoints): Highlight | undefined {
  const { normals, toCamera, specular } = gloss
  const { residual, harmonics, reflectance, weights, solve } = matt
  const count = specular.length
  let energy = 0
  const against = new Float64Array(9)
  const gray = new Float64Array(count)
  const row = new Float64Array(count)
  for (let p = 0; p < count; p++) {
    for (let c = 0; c < 3; c++) {
      const r = residual[3 * p + c]
      energy += weights[p] * r * r
      gray[p] += weights[p] * r
      row[p] += weights[p] * reflectance[3 * p + c]
      for (let k = 0; k < 9; k++) against[k] += weights[p] * r * reflectance[3 * p + c] * harmonics[9 * p + k]
    }
  }
  const explained = solve(against)
  const cosines = new Float64Array(count)
  const shine = new Float32Array(count)
  let best: (Highlight & { gain: number }) | undefined

  const attempt = (direction: [number, number, number], exponents: readonly number[]) => {
    const [x, y, z] = direction
    for (let p = 0; p < count; p++) {
      const at = 3 * p
      const facing = normals[at] * x + normals[at + 1] * y + normals[at + 2] * z
      if (specular[p] === 0 || facing <= 0) {
        cosines[p] = 0
        continue
      }
      const h = [x + toCamera[at], y + toCamera[at + 1], z + toCamera[at + 2]]
      const dot = normals[at] * h[0] + normals[at + 1] * h[1] + normals[at + 2] * h[2]
      cosines[p] = Math.max(dot / (Math.hypot(h[0], h[1], h[2]) || 1), 0)
    }
    for (const shininess of exponents) {
      let [own, along] = [0, 0]
      const shared = new Float64Array(9)
      for (let p = 0; p < count; p++) {
        const value = cosines[p] === 0 ? 0 : specular[p] * cosines[p] ** shininess
        shine[p] = value
        if (value < 1e-5) continue
        own += 3 * weights[p] * value * value
        along += gray[p] * value
        for (let k = 0; k < 9; k++) shared[k] += row[p] * value * harmonics[9 * p + k]
      }
      const alike = solve(shared)
      for (let k = 0; k < 9; k++) {
        own -= shared[k] * alike[k]
        along -= shared[k] * explained[k]
      }
      if (!(along > 0 && own > 0)) continue
      const strength = Math.min(along / own, strongest(shininess))
      const gain = 2 * strength * along - strength * strength * own
      if (best && gain <= best.gain) continue
      best = { direction, strength, shininess, shine: shine.map((value) => value * strength), gain }
    }
  }

  for (const direction of DIRECTIONS) attempt(direction, SHININESS)
  for (const step of STEPS) {
    if (!best) return undefined
    const { direction, shininess } = best as Highlight
    const exponents = [0.75, 1, 1.33].map((factor) => Math.min(Math.max(shininess * factor, 10), 60))
    for (let k = 0; k < 8; k++) {
      const around = [step * Math.cos((k * Math.PI) / 4), step * Math.sin((k * Math.PI) / 4), 0]
      const moved = direction.map((value, axis) => value + around[axis])
      const length = Math.hypot(...moved)
      attempt(moved.map((value) => value / length) as [number, number, number], exponents)
    }
  }
  if (!best || best.gain < LEAST_GAIN * energy) return undefined
  const { gain: _, ...highlight } = best
  return highlight
}
