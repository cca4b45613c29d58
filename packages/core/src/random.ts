import { showValue } from './show-value.js'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import { ValueError } from './errors.js'
import { assertInteger } from './value-checks.js'

/** A seeded stream of random numbers; the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(minimum?: number, maximum?: number): number
  /** Normally distributed. */
  normal(mean?: number, deviation?: number): number
  /** A whole number in [0, below). */
  integer(below: number): number
  /** A new array with the items in random order. */
  shuffle<T>(items: readonly T[]): T[]
  /** Where the stream is: plain numbers, to be stored as JSON and given to `restoreRandom`. */
  state(): RandomState
}

/** Where a stream of random numbers is. */
export interface RandomState {
  generator: number[]
  /** The second of the pair of normal numbers that is still to be given. */
  spare?: number
}

/** Draws that are thrown away: a generator fresh from a small seed has a state of mostly equal bits, and shows it. */
const WARM_UP = 64

/** Spreads neighbouring seeds over all 32 bits (the finaliser of MurmurHash3). */
function scramble(seed: number): number {
  let hash = seed ^ (seed >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}

/** Starts a seeded stream of random numbers (xoroshiro128+; normals by Box and Muller).
 *
 * @param seed - a whole number from 0 to 2^32 - 1
 * @throws {ValueError} for any other seed
 * @example
 * const random = createRandom(7)
 * random.normal() // the same number in every run
 */
export function createRandom(seed: number): Random {
  assertInteger('createRandom: seed', seed, 0, 0xffffffff)
  const generator = xoroshiro128plus(scramble(seed))
  for (let i = 0; i < WARM_UP; i++) uniformFloat64(generator)
  return stream(generator)
}

/** Goes on with a stream of random numbers where `state` was taken.
 *
 * @throws {ValueError} when it is no state of a stream
 * @example
 * const random = createRandom(7)
 * const state = random.state()
 * random.uniform() === restoreRandom(state).uniform() // true
 */
export function restoreRandom(state: RandomState): Random {
  const { generator, spare } = state ?? {}
  const whole = Array.isArray(generator) && generator.length === 4 && generator.every(Number.isInteger)
  if (!whole || (spare !== undefined && !Number.isFinite(spare))) {
    throw new ValueError(
      `restoreRandom: ${showValue(state)} is no state of a stream; give it what state() of one has returned`,
    )
  }
  return stream(xoroshiro128plusFromState(generator), spare)
}

function stream(generator: ReturnType<typeof xoroshiro128plus>, spare?: number): Random {
  const uniform = (minimum = 0, maximum = 1) => minimum + (maximum - minimum) * uniformFloat64(generator)
  const integer = (below: number) => {
    assertInteger('Random.integer: below', below, 1)
    return Math.floor(uniform() * below)
  }
  const standardNormal = () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return {
    uniform,
    integer,
    normal: (mean = 0, deviation = 1) => mean + deviation * standardNormal(),
    shuffle: (items) => {
      const result = [...items]
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        ;[result[i], result[j]] = [result[j], result[i]]
      }
      return result
    },
    state: () => ({ generator: [...generator.getState()], ...(spare !== undefined && { spare }) }),
  }
}
