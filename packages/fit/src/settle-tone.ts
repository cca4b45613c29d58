import type { MorphableModel } from '@facekit/morphable'
import { whitesUnder, type EyeWhites } from './eye-whites.js'
import { seenHarmonics } from './room-light.js'
import { skinTone, type SkinTone } from './skin-tone.js'
import { solveNormalEquations } from './solve-normal-equations.js'
import { denseNumbers } from './stack-crops.js'
import { shareTone, type Color } from './tone-prior.js'

/** Least albedo and irradiance whose logarithm is taken. */
const DARKEST = 5e-3
/** How far albedo coefficients resist to be changed, as a share of what the colours of a vertex say. */
const RESISTANCE = 2e-3
/** Every n-th vertex is looked at. */
const SPACING = 3
/** How far the product of albedo and light may depart from what it was, as a share of it. */
const MOST_CHANGE = 0.02
const SHARES = [1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1]

/** Shares the colour that a fit has found out again between skin and light, see `shareTone`: a descent finds the product of both well, but what
 * tells them apart pulls so weakly that its steps do not get there.
 *
 * The albedo of all vertices is brought as near as can be to its new colour; the light takes the best factor of each channel so that the product
 * stays. A model that cannot show the new colour without changing the product goes a part of the way.
 *
 * @param albedo - `[Kt]` coefficients; changed in place
 * @param lights - of each picture its `[9 * 3]` harmonics, changed in place, and the whites of its eyes
 */
export function settleTone(
  model: MorphableModel,
  albedo: Float64Array,
  lights: readonly { sphericalHarmonics: Float64Array; whites: EyeWhites | undefined }[],
): void {
  const skin = skinOf(skinTone(model), albedo)
  const factors = shareTone(
    skin,
    lights.map(({ sphericalHarmonics, whites }) => ({
      light: seenLight(sphericalHarmonics),
      ...(whites && { whites: whitesUnder(whites, sphericalHarmonics) }),
    })),
  )
  const colors = sampledColors(model)
  const before = colorsOf(colors, albedo)
  const change = changeFor(
    colors,
    before.map((value, i) => value * (factors[i % 3] - 1)),
  )
  for (const share of SHARES) {
    const moved = albedo.map((value, k) => value + share * change[k])
    const after = colorsOf(colors, moved)
    const { scale, error } = match(after, before)
    if (error > MOST_CHANGE) continue
    albedo.set(moved)
    for (const { sphericalHarmonics } of lights)
      for (let i = 0; i < sphericalHarmonics.length; i++) sphericalHarmonics[i] *= scale[i % 3]
    return
  }
}

function skinOf({ mean, modes }: SkinTone, albedo: ArrayLike<number>): Color {
  return mean.map((value, c) => {
    let sum = value
    for (let k = 0; k < albedo.length; k++) sum += albedo[k] * modes[3 * k + c]
    return Math.max(sum, DARKEST)
  }) as Color
}

/** Mean irradiance on the skin that the camera sees. */
function seenLight(sphericalHarmonics: ArrayLike<number>): Color {
  return [0, 1, 2].map((c) => {
    const sum = seenHarmonics.reduce<number>(
      (total, value, k) => total + value * sphericalHarmonics[3 * k + c],
      0,
    )
    return Math.max(sum, DARKEST)
  }) as Color
}

/** Diffuse albedo at some vertices: mean and modes. */
interface SampledColors {
  mean: Float64Array
  modes: Float64Array[]
}

function sampledColors(model: MorphableModel): SampledColors {
  const count = Math.ceil(model.vertexCount / SPACING)
  const pick = (values: Float32Array, offset: number) =>
    Float64Array.from(
      { length: count * 3 },
      (_, i) => values[offset + 3 * SPACING * Math.floor(i / 3) + (i % 3)],
    )
  const modes = denseNumbers(model.albedo.diffuse)
  return {
    mean: pick(denseNumbers(model.albedo.diffuseMean), 0),
    modes: Array.from({ length: model.layout.albedo }, (_, k) => pick(modes, k * model.vertexCount * 3)),
  }
}

function colorsOf({ mean, modes }: SampledColors, albedo: ArrayLike<number>): Float64Array {
  const colors = mean.slice()
  for (const [k, mode] of modes.entries())
    for (let i = 0; i < colors.length; i++) colors[i] += albedo[k] * mode[i]
  return colors
}

/** Coefficients whose colours are nearest to the wanted ones: (M' M + r) d = M' wanted. */
function changeFor({ modes }: SampledColors, wanted: Float64Array): Float64Array {
  const dot = (a: Float64Array, b: Float64Array) => {
    let sum = 0
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
    return sum
  }
  const normal = modes.map((a, i) => modes.map((b, j) => (j <= i ? dot(a, b) : 0)))
  for (let k = 0; k < modes.length; k++) normal[k][k] += RESISTANCE * RESISTANCE * wanted.length + 1e-12
  return solveNormalEquations(
    normal,
    modes.map((mode) => dot(mode, wanted)),
  )
}

/** The factors of the channels that bring `after` nearest to `before`, and what is left, as a share of it. */
function match(after: Float64Array, before: Float64Array): { scale: Color; error: number } {
  const scale = [0, 1, 2].map((c) => {
    let [both, own] = [1e-12, 1e-12]
    for (let i = c; i < after.length; i += 3) {
      both += after[i] * before[i]
      own += after[i] * after[i]
    }
    return Math.max(both / own, 1e-3)
  }) as Color
  let [off, all] = [0, 1e-12]
  for (let i = 0; i < after.length; i++) {
    off += (scale[i % 3] * after[i] - before[i]) ** 2
    all += before[i] ** 2
  }
  return { scale, error: Math.sqrt(off / all) }
}
