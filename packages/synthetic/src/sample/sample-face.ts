import { createRandom } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { hashSeed } from './hash-seed.js'

/** What makes a person. */
export interface SampledPerson {
  identity: Float32Array
  albedo: Float32Array
  /** Of the skin: 0 the palest, 1 the darkest. */
  tone: number
}

const PERSON = 1
/** Coefficients are held within so many deviations. */
const LIMIT = 2.6

/** Makes people: the same number is the same person, for one seed. */
export function createPeople(
  model: MorphableModel,
  seed: number,
  deviation: number,
): (person: number) => SampledPerson {
  const tone = skinToneMode(model)
  const { identity, albedo } = model.layout
  return (person) => {
    const random = createRandom(hashSeed(seed, PERSON, person))
    const held = (spread: number) => Math.min(LIMIT, Math.max(-LIMIT, random.normal(0, spread)))
    const spread = deviation * random.uniform(0.7, 1.3)
    const darkness = random.uniform()
    const result = {
      tone: darkness,
      identity: Float32Array.from({ length: identity }, () => held(spread)),
      albedo: Float32Array.from({ length: albedo }, () => held(0.95)),
    }
    // Skins from the palest to the darkest, equally often.
    if (tone) {
      const coefficient = tone.sign * (4.8 * darkness - 2.2)
      // Differences of skin are shares of its brightness, but a linear model adds them: on dark skin they would be blotches.
      const brightness = Math.min(1, Math.max(0.25, 1 + coefficient * tone.change))
      for (let k = 0; k < albedo; k++) result.albedo[k] *= brightness
      result.albedo[tone.mode] = coefficient
    }
    return result
  }
}

/** The albedo mode that changes the brightness of the whole skin most, if one does, the sign that darkens, and its change in
 * parts of the mean's brightness. */
function skinToneMode(model: MorphableModel): { mode: number; sign: number; change: number } | undefined {
  const { diffuse, diffuseMean } = model.albedo
  const { vertexCount } = model
  const skin = model.regions?.skin ?? Int32Array.from({ length: vertexCount }, (_, v) => v)
  const level = (data: ArrayLike<number>, mode: number) => {
    let sum = 0
    for (const v of skin) {
      for (let c = 0; c < 3; c++) sum += data[(mode * vertexCount + v) * 3 + c]
    }
    return sum / (3 * skin.length)
  }
  const mean = level(diffuseMean.data, 0)
  let best: { mode: number; sign: number; change: number } | undefined
  let largest = 0.1 * mean
  for (let k = 0; k < model.layout.albedo; k++) {
    const change = level(diffuse.data, k)
    if (Math.abs(change) > largest)
      [best, largest] = [{ mode: k, sign: -Math.sign(change), change: change / mean }, Math.abs(change)]
  }
  return best
}
