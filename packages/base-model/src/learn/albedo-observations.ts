import { sphericalHarmonicsAt } from '@facekit/illumination'
import type { AlignedFace } from './align-faces.js'
import type { LearningTemplate } from './learning-template.js'
import { removeLight } from './light-removal.js'
import type { ObservedPerson } from './observe-people.js'

/** Albedo of a clip of one person, as far as seen: relative to its own tone. */
export interface AlbedoObservation {
  person: number
  /** `[skinEnd * 3]` albedo divided by the median over the skin, by channel; mirror-symmetric. */
  relative: Float32Array
  /** `[skinEnd]` trust, 0 where never seen. */
  trust: Float32Array
  /** `[skinEnd]` luminance beyond what diffuse light explains, in parts of the shading. */
  excess: Float32Array
  /** Median colour of the skin under the light's mean: log luminance, log red over green, log green over blue. */
  tone: [number, number, number]
  /** How much all of its photographs together say. */
  weight: number
}

const LARGEST_YAW = 0.5
const LARGEST_PITCH = 0.45
const LEAST_RESOLUTION = 32
/** Clips between two breaths: some tenths of a second. */
const TICK_CLIPS = 10
/** Linear light of an encoded byte. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2.2)
/** Luminance, Rec. 709. */
const LUMA = [0.2126, 0.7152, 0.0722]

/** Takes the light off all photographs that are frontal and fine enough, and joins those of one clip.
 *
 * @param expected - `[N * 3]` albedo that faces are expected to have
 * @param skin - `[skinEnd]` 1 for bare skin, 0 for brows, lips, lids
 * @param tick - is told now and then how many clips are done; may throw to stop
 */
export async function observeAlbedo(
  people: readonly ObservedPerson[],
  faces: readonly AlignedFace[],
  template: LearningTemplate,
  expected: ArrayLike<number>,
  skin: ArrayLike<number>,
  tick: (done: number, total: number) => Promise<void>,
): Promise<AlbedoObservation[]> {
  const { skinEnd, mirror } = template
  const normals = smoothNormals(template)
  const luminanceExpected = Float64Array.from(
    { length: skinEnd },
    (_, i) => LUMA[0] * expected[i * 3] + LUMA[1] * expected[i * 3 + 1] + LUMA[2] * expected[i * 3 + 2],
  )
  const clips = new Map<string, AlignedFace[]>()
  for (const face of faces) {
    if (Math.abs(face.yaw) > LARGEST_YAW || Math.abs(face.pitch) > LARGEST_PITCH) continue
    if (face.resolution < LEAST_RESOLUTION) continue
    const key = `${face.person}/${face.clip}`
    clips.set(key, [...(clips.get(key) ?? []), face])
  }
  const observations: AlbedoObservation[] = []
  const [harmonics, luminance, seen] = [
    new Float64Array(skinEnd * 9),
    new Float64Array(skinEnd),
    new Float64Array(skinEnd),
  ]
  let done = 0
  for (const group of clips.values()) {
    if (done % TICK_CLIPS === 0) await tick(done, clips.size)
    done++
    const sum = new Float64Array(skinEnd * 3)
    const total = new Float64Array(skinEnd)
    const excess = new Float64Array(skinEnd)
    let weight = 0
    const tone: [number, number, number] = [0, 0, 0]
    for (const face of group) {
      const { colors } = people[face.person].faces[face.index]
      const r = face.rotation
      for (let i = 0; i < skinEnd; i++) {
        const [x, y, z] = [normals[i * 3], normals[i * 3 + 1], normals[i * 3 + 2]]
        // The transpose of the rotation: from the model's axes to the photograph's.
        const facing = r[2] * x + r[5] * y + r[8] * z
        harmonics.set(
          sphericalHarmonicsAt(r[0] * x + r[3] * y + r[6] * z, r[1] * x + r[4] * y + r[7] * z, facing),
          i * 9,
        )
        luminance[i] = 0
        for (let c = 0; c < 3; c++) luminance[i] += LUMA[c] * LINEAR[colors[i * 3 + c]]
        const clipped = Math.max(colors[i * 3], colors[i * 3 + 1], colors[i * 3 + 2]) > 250
        seen[i] = facing < 0.3 || clipped ? 0 : Math.min(1, (facing - 0.3) / 0.3)
      }
      const bare = seen.map((value, i) => value * (0.15 + 0.85 * skin[i]))
      const { shading, trust } = removeLight(luminance, luminanceExpected, harmonics, bare)
      const relative = new Float64Array(skinEnd * 3)
      for (let i = 0; i < skinEnd; i++) {
        for (let c = 0; c < 3; c++) relative[i * 3 + c] = LINEAR[colors[i * 3 + c]] / shading[i]
      }
      const medians = [0, 1, 2].map((c) => skinMedian(relative, c, trust, skin))
      if (!medians.every((value) => value > 1e-3)) continue
      const quality = face.resolution ** 2 * Math.exp(-((face.yaw / 0.35) ** 2))
      weight += quality
      const light = medianOf(Array.from(luminance).filter((_, i) => trust[i] > 0.5))
      tone[0] += quality * Math.log(Math.max(light, 1e-3))
      tone[1] += quality * Math.log(medians[0] / medians[1])
      tone[2] += quality * Math.log(medians[1] / medians[2])
      for (let i = 0; i < skinEnd; i++) {
        // What the fit of light did not believe, e.g. brows, is believed here unless it is hair, glasses or a highlight.
        const off = Math.abs(Math.log((luminance[i] + 1e-4) / (shading[i] * luminanceExpected[i] + 1e-4)))
        const w =
          quality *
          seen[i] *
          (skin[i] > 0.5 ? trust[i] / Math.max(bare[i], 1e-6) : Math.exp(-((off / 1.2) ** 4)))
        total[i] += w
        for (let c = 0; c < 3; c++) sum[i * 3 + c] += w * Math.min(relative[i * 3 + c] / medians[c], 3)
        excess[i] += quality * seen[i] * Math.max(0, luminance[i] / shading[i] - 1.08 * luminanceExpected[i])
      }
    }
    if (weight === 0) continue
    const observation: AlbedoObservation = {
      person: group[0].person,
      relative: new Float32Array(skinEnd * 3),
      trust: new Float32Array(skinEnd),
      excess: new Float32Array(skinEnd),
      tone: tone.map((value) => value / weight) as [number, number, number],
      weight,
    }
    for (let i = 0; i < skinEnd; i++) {
      const j = mirror[i]
      const both = total[i] + total[j]
      observation.trust[i] = both / (2 * weight)
      observation.excess[i] = (excess[i] + excess[j]) / (2 * weight)
      for (let c = 0; c < 3; c++) {
        observation.relative[i * 3 + c] = both > 0 ? (sum[i * 3 + c] + sum[j * 3 + c]) / both : 1
      }
    }
    observations.push(observation)
  }
  return observations
}

const medianOf = (values: readonly number[]) => Float64Array.from(values).sort()[values.length >> 1] ?? 0

function skinMedian(
  relative: Float64Array,
  channel: number,
  trust: ArrayLike<number>,
  skin: ArrayLike<number>,
): number {
  const values: number[] = []
  for (let i = 0; i < trust.length; i++) {
    if (trust[i] > 0.3 && skin[i] > 0.5) values.push(relative[i * 3 + channel])
  }
  return medianOf(values)
}

/** Normals of the mean face, smoothed over some 10 mm: small forms of the mesh are not those of the person seen. */
function smoothNormals({ mean, triangles, skinEnd }: LearningTemplate): Float64Array {
  const sum = new Float64Array(mean.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [a, b, c] = corners.map((i) => mean.subarray(i * 3, i * 3 + 3))
    const [u, v] = [b.map((value, k) => value - a[k]), c.map((value, k) => value - a[k])]
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    for (const i of corners) for (let k = 0; k < 3; k++) sum[i * 3 + k] += normal[k]
  }
  let normals: Float64Array = sum.slice(0, skinEnd * 3)
  for (let round = 0; round < 12; round++) normals = smoothField(normals, 3, triangles, skinEnd)
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1
    for (let k = 0; k < 3; k++) normals[i + k] /= length
  }
  return normals
}

/** Each vertex of the skin the mean of itself and its neighbours. */
export function smoothField(
  field: Float64Array,
  width: number,
  triangles: ArrayLike<number>,
  skinEnd: number,
): Float64Array {
  const sum = field.slice()
  const count = new Float64Array(skinEnd).fill(1)
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [i, j] = [triangles[t + k], triangles[t + ((k + 1) % 3)]]
      if (i >= skinEnd || j >= skinEnd) continue
      count[i]++
      for (let c = 0; c < width; c++) sum[i * width + c] += field[j * width + c]
    }
  }
  return sum.map((value, at) => value / count[Math.floor(at / width)])
}
