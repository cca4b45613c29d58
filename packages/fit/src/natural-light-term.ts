import { sphericalHarmonicsBasis } from '@facekit/illumination'
import type { LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import * as tf from '@tensorflow/tfjs-core'
import { roomDeviations, roomMeans, seenHarmonics } from './room-light.js'
import { skinTone } from './skin-tone.js'
import { luminanceWeights, tonePrior } from './tone-prior.js'

/** How far the lamps of one room differ in colour. */
const TINT_DEVIATION = 0.15
/** The least light of a direction, as a share of the mean. */
const FLOOR = 0.05
const BELOW_ZERO = 200
/** The least mean albedo of skin in any channel. */
const DARKEST_SKIN = 0.02
const BELOW_DARKEST = 2e4

/** How unlikely light and tone of the skin are, in squared standard deviations: `tonePrior` for their colours, rooms for the directions of light, and no
 * light below zero for any normal. Mean over the pictures. */
export function naturalLightTerm(model: MorphableModel, weight: LossTerm['weight']): LossTerm {
  const { mean, modes } = skinTone(model)
  return {
    name: 'naturalLight',
    weight,
    compute: ({ parameters: { albedo, illumination } }) =>
      tf.tidy(() => {
        const { sphericalHarmonics } = illumination // [B, 9, 3]
        const skin = tf.add(tf.matMul(albedo, tf.tensor2d(modes, [modes.length / 3, 3])), [mean]) // [B, 3]
        const light = tf.sum(tf.mul(sphericalHarmonics, tf.tensor3d([...seenHarmonics], [1, 9, 1])), 1) // [B, 3]
        const colors = tf.add(toneCost(skin as tf.Tensor2D, tf.maximum(light, 1e-3) as tf.Tensor2D), 0)
        const batch = sphericalHarmonics.shape[0]
        const relative = tf.div(
          sphericalHarmonics,
          tf.maximum(tf.reshape(light, [batch, 1, 3]), 1e-2),
        ) as tf.Tensor3D
        const parts = [colors, roomCost(relative), negativeCost(relative)]
        return tf.div(
          parts.reduce((total, part) => tf.add(total, part)),
          batch,
        ) as tf.Scalar
      }),
  }
}

/** y, u and v of `[B, 3]` colours, each `[B]`. */
function describe(color: tf.Tensor2D) {
  const safe = tf.maximum(color, 1e-3)
  const y = tf.log(tf.sum(tf.mul(safe, [[...luminanceWeights]]), 1))
  const [red, green, blue] = tf.unstack(tf.log(safe), 1)
  return { y, u: tf.sub(red, green), v: tf.sub(blue, green) }
}

/** The cost of `tonePrior`, sum over the pictures. */
function toneCost(skin: tf.Tensor2D, light: tf.Tensor2D): tf.Tensor {
  const s = describe(skin)
  const l = describe(light)
  const { luminance, redGreen, blueGreen } = tonePrior.skin
  const t = tf.sub(s.y, luminance.mean)
  const { temperature, green, freedom, luminance: strength } = tonePrior.light
  const [du, dv] = temperature.direction
  const tailed = (cost: tf.Tensor, degrees: number) => tf.mul(tf.log1p(tf.div(cost, degrees)), degrees)
  const square = (value: tf.Tensor, deviation: number) => tf.square(tf.div(value, deviation))
  const off = (value: tf.Tensor, line: typeof redGreen) =>
    square(tf.sub(tf.sub(value, line.mean), tf.mul(t, line.slope)), line.deviation)
  const along = square(tf.add(tf.mul(l.u, du), tf.mul(l.v, dv)), temperature.deviation)
  const across = square(tf.sub(tf.mul(l.u, dv), tf.mul(l.v, du)), green.deviation)
  const parts = [
    square(t, luminance.deviation),
    square(tf.relu(tf.sub(s.y, luminance.most)), luminance.beyond),
    off(s.u, redGreen),
    off(s.v, blueGreen),
    tailed(square(tf.sub(l.y, strength.mean), strength.deviation), strength.freedom),
    tailed(tf.add(along, across), freedom),
    // Logarithms say nothing of colours at their bound.
    tf.mul(tf.sum(tf.square(tf.relu(tf.sub(DARKEST_SKIN, skin))), 1), BELOW_DARKEST),
  ]
  return tf.sum(parts.reduce((total, part) => tf.add(total, part)))
}

/** How far light of mean 1 is from that of rooms, and how far its directions differ in colour. */
function roomCost(light: tf.Tensor3D): tf.Tensor {
  const [means, deviations] = [roomMeans, roomDeviations].map((values) => tf.tensor3d([...values], [1, 9, 1]))
  const gray = tf.mean(light, 2, true)
  const shape = tf.square(tf.div(tf.sub(gray, means), deviations))
  const tint = tf.square(tf.div(tf.sub(light, gray), TINT_DEVIATION))
  return tf.add(tf.sum(shape), tf.sum(tint))
}

const DIRECTIONS = 60

function negativeCost(light: tf.Tensor3D): tf.Tensor {
  const batch = light.shape[0]
  const golden = Math.PI * (3 - Math.sqrt(5))
  const directions = Array.from({ length: DIRECTIONS }, (_, i) => {
    const z = 1 - (2 * i + 1) / DIRECTIONS
    const radius = Math.sqrt(1 - z * z)
    return [radius * Math.cos(golden * i), radius * Math.sin(golden * i), z]
  })
  const basis = tf.reshape(sphericalHarmonicsBasis(tf.tensor2d(directions)), [1, DIRECTIONS, 9])
  const irradiance = tf.matMul(tf.tile(basis, [batch, 1, 1]), light) // [B, D, 3]
  const below = tf.square(tf.relu(tf.sub(FLOOR, irradiance)))
  return tf.mul(tf.sum(below), BELOW_ZERO / DIRECTIONS)
}
