import { createRandom } from '@facekit/core'
import { diffuseMean, paintedModes, skinOnly, smoothModes } from '../albedo.js'
import type { FaceMasks } from '../face-masks.js'
import { mirrorVertices } from '../dense-landmarks.js'
import type { FaceMesh } from '../face-mesh.js'
import { applyStencils } from '../loop-subdivision.js'

/** An albedo model at the vertices, linear RGB. */
export interface PaintedAlbedo {
  names: string[]
  /** `[N * 3]` */
  diffuseMean: Float64Array
  /** `[K][N * 3]`, one standard deviation each. */
  diffuse: Float64Array[]
  /** `[N]` base reflectance. */
  specularMean: Float64Array
  /** `[K][N]` */
  specular: Float64Array[]
}

/** Skin reflects 2 to 6 % of the light that falls on it straight (an index of refraction from 1.33 to 1.65); nothing is black or a
 * perfect white. */
const BOUNDS = { diffuse: [0.004, 0.97], specular: [0.02, 0.06] } as const
/** Deviations of a random face that stay within the bounds: beyond lie 0.05 % on each side. */
const REACH = 3.3
/** The first modes are tones: melanin, blood, carotene. */
export const TONES = 3
/** What one deviation of blood and of carotene is of that in the first version: people differ less than cameras. */
const CALMER: Readonly<Record<string, number>> = { haemoglobin: 0.75, carotene: 0.75 }
/** Modes of the first version that texture takes the place of, or that the shape of a shadow was. */
const LEFT_OUT = new Set(['topToBottom', 'sides', 'temples', 'mouthDark'])
const SMOOTH = { light: 8, red: 4 } as const
/** How dark a full freckle and full stubble are, in parts of the skin around them, and how much of them the mean face has. */
const FRECKLE = [-0.05, -0.085, -0.1] as const
const STUBBLE = [-0.085, -0.08, -0.065] as const
const IN_MEAN = 0.7

/** Paints the albedo of the variant `scans`: absorbers of the skin multiply its mean, texture is at the vertices, and every
 * vertex keeps within `BOUNDS` out to 3.3 deviations of all modes together.
 */
export function paintAlbedo(
  mesh: FaceMesh,
  masks: FaceMasks,
  neutral: Float64Array,
  mirror: readonly number[],
): PaintedAlbedo {
  const count = masks.skin.length
  const mean = diffuseMean(masks)
  const all: Record<string, Float64Array> = { skinOnly: skinOnly(masks), ...masks }
  const partner = mirrorVertices(mesh.mean)
  const speckles = (seed: number, share: number) => {
    const random = createRandom(seed)
    const values = Array.from({ length: count }, () =>
      random.uniform() < share ? 0.5 + 0.5 * random.uniform() : 0,
    )
    return Float64Array.from(values)
  }
  // Freckles: single vertices, most on nose and cheeks, less on the forehead; no two halves alike.
  const dots = speckles(71, 0.22)
  const freckles = dots.map(
    (dot, i) =>
      dot *
      all.skinOnly[i] *
      Math.min(
        0.9 * masks.cheeks[i] + 0.8 * masks.apples[i] + 0.9 * masks.nose[i] + 0.35 * masks.forehead[i],
        1,
      ),
  )
  // Stubble: uneven from vertex to vertex, alike on both sides in how dense it is.
  const grain = createRandom(72)
  const uneven = Float64Array.from({ length: count }, () => 0.55 + 0.9 * grain.uniform())
  const stubble = masks.beard.map(
    (beard, i) => beard * (uneven[i] + uneven[partner[i]]) * 0.5 * all.skinOnly[i],
  )
  const textures: [string, Float64Array, readonly number[]][] = [
    ['freckles', freckles, FRECKLE],
    ['stubble', stubble, STUBBLE],
  ]
  for (const [, mask, color] of textures) {
    for (let i = 0; i < mean.length; i++) mean[i] *= 1 + IN_MEAN * mask[Math.floor(i / 3)] * color[i % 3]
  }

  const kept = paintedModes.filter(({ name }) => !LEFT_OUT.has(name))
  const names = kept.map(({ name }) => name)
  const specularMean = reflectance(masks)
  const diffuse: Float64Array[] = []
  const specular: Float64Array[] = []
  for (const { name, paint = {}, share = {}, specular: shine = {} } of kept) {
    const calm = CALMER[name] ?? 1
    const colors = new Float64Array(count * 3)
    const shines = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      for (const [mask, color] of Object.entries(paint)) {
        for (let c = 0; c < 3; c++) colors[i * 3 + c] += all[mask][i] * color[c]
      }
      for (const [mask, color] of Object.entries(share)) {
        for (let c = 0; c < 3; c++) colors[i * 3 + c] += calm * all[mask][i] * color[c] * mean[i * 3 + c]
      }
      for (const [mask, amount] of Object.entries(shine)) shines[i] += all[mask][i] * amount * 0.6
    }
    diffuse.push(colors)
    specular.push(shines)
  }
  for (const [name, mask, color] of textures) {
    names.push(name)
    diffuse.push(mean.map((value, i) => value * mask[Math.floor(i / 3)] * color[i % 3]))
    specular.push(new Float64Array(count))
  }
  // Fine unevenness of blood and of brightness, from vertex to vertex.
  for (const [name, color, seed] of [
    ['mottleRed', [0.004, -0.012, -0.01], 73],
    ['mottleLight', [0.016, 0.018, 0.019], 74],
  ] as const) {
    const random = createRandom(seed)
    const noise = averaged(
      mesh,
      Float64Array.from({ length: count }, () => random.normal()),
    )
    names.push(name)
    diffuse.push(
      mean.map(
        (value, i) => value * noise[Math.floor(i / 3)] * all.skinOnly[Math.floor(i / 3)] * color[i % 3],
      ),
    )
    specular.push(new Float64Array(count))
  }
  for (const { name, diffuse: control } of smoothModes(neutral, mirror, SMOOTH)) {
    const field = applyStencils(mesh.stencils, control)
    names.push(name)
    // Painted for the mean tone: a share of it, so that lips and brows keep theirs.
    const tone = [0.42, 0.245, 0.168]
    diffuse.push(
      field.map((value, i) => ((0.8 * value) / tone[i % 3]) * mean[i] * all.skinOnly[Math.floor(i / 3)]),
    )
    specular.push(new Float64Array(count))
  }
  limit(mean, diffuse, BOUNDS.diffuse, TONES)
  limit(specularMean, specular, BOUNDS.specular)
  return { names, diffuseMean: mean, diffuse, specularMean, specular }
}

/** `[N]` base reflectance: forehead, nose tip and lips shine most. */
function reflectance(masks: FaceMasks): Float64Array {
  return masks.skin.map((skin, i) => {
    let value = skin > 0 ? 0.035 : 0.04
    value +=
      0.012 * masks.nose[i] + 0.006 * masks.forehead[i] + 0.002 * masks.cheeks[i] + 0.003 * masks.chin[i]
    value +=
      0.01 * masks.lips[i] + 0.01 * masks.lidMargin[i] - 0.003 * masks.underEye[i] - 0.003 * masks.beard[i]
    value -= 0.006 * masks.brows[i] + 0.008 * masks.nostrils[i] + 0.003 * masks.sides[i]
    return Math.min(Math.max(value, BOUNDS.specular[0] + 0.004), BOUNDS.specular[1] - 0.006)
  })
}

/** Shrinks the modes at each vertex so that `REACH` deviations of all of them stay within the bounds; the first ones, which are the
 * tone of the whole skin, only where the others leave no room. In place.
 */
function limit(
  mean: Float64Array,
  modes: readonly Float64Array[],
  [low, high]: readonly [number, number],
  first = 0,
): void {
  const tones = modes.slice(0, first)
  const others = modes.slice(first)
  for (let i = 0; i < mean.length; i++) {
    const variance = (list: readonly Float64Array[]) => list.reduce((sum, mode) => sum + mode[i] ** 2, 0)
    const room = (Math.max(Math.min(mean[i] - low, high - mean[i]), 0) / REACH) ** 2
    const tone = variance(tones)
    if (tone > room) for (const mode of tones) mode[i] *= Math.sqrt(room / tone)
    const rest = Math.max(room - tone, 0)
    const other = variance(others)
    if (other > rest) for (const mode of others) mode[i] *= Math.sqrt(rest / other)
  }
}

/** Noise with the mean of each vertex' neighbours mixed in, of deviation 1 again. */
function averaged(mesh: FaceMesh, noise: Float64Array): Float64Array {
  const sum = noise.slice()
  const count = new Float64Array(noise.length).fill(1)
  for (let t = 0; t < mesh.triangles.length; t++) {
    const next = t % 3 === 2 ? t - 2 : t + 1
    const [a, b] = [mesh.triangles[t], mesh.triangles[next]]
    sum[a] += noise[b]
    sum[b] += noise[a]
    count[a]++
    count[b]++
  }
  const mean = sum.map((value, i) => value / count[i])
  const deviation = Math.sqrt(mean.reduce((s, value) => s + value ** 2, 0) / mean.length)
  return mean.map((value) => value / deviation)
}
