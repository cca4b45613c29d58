import * as tf from '@tensorflow/tfjs-core'
import {
  assertInRange,
  assertInteger,
  createRandom,
  type Random,
  type RandomState,
  restoreRandom,
  showValue,
  ValueError,
} from '@facekit/core'

/** Pictures of one person. */
export interface PersonPictures {
  name: string
  /** Each gives an aligned crop, `[S * S * 3]` encoded sRGB in 0..255, all of the same size. */
  pictures: readonly (() => Uint8Array | Promise<Uint8Array>)[]
  /** A number for each picture; those that are nearly the same, such as frames of one clip, share it. Default: none do. */
  groups?: readonly number[]
}

/** Options of `createTripletBatches`. */
export interface TripletBatchesOptions {
  /** Width and height S of the crops. Default 96. */
  size?: number
  /** Width and height of the pictures that come out. Default `size`. */
  inputSize?: number
  /** People in a batch. Default 24. */
  people?: number
  /** Pictures of each. Default 4. */
  pictures?: number
  /** How much pictures are altered: 0 not at all, 1 mirrored, moved by up to 6 %, scaled by up to 10 %, lit and tinted anew. Default 1. */
  augment?: number
  /** Of all that is random. Default 1. */
  seed?: number
  /** Bytes of crops that are kept, so that they need not be read again. Default 2 GiB. */
  cacheBytes?: number
}

/** Batches for `tripletLoss`: some people, some pictures of each. Fits `runTraining` of @facekit/trainer. */
export interface TripletBatches {
  /** `[B, n, n, 3]` encoded, 0..1, and `[B]` int32: who. The caller owns the tensors. */
  next(): Promise<[images: tf.Tensor4D, people: tf.Tensor1D]>
  /** Where the batches stand, as plain JSON. */
  state(): { random: RandomState }
  restore(state: unknown): void
}

/** Makes endless batches of random people and random pictures of each; who has too few pictures is seen twice with the same one.
 *
 * @param people - with at least two pictures each
 * @throws {ValueError} when there are fewer people than a batch needs, one has fewer than two pictures, or an option is out of range
 * @example
 * const batches = createTripletBatches(await openIdentities('photos'), { people: 24, pictures: 4 })
 * const [images, who] = await batches.next()
 */
export function createTripletBatches(
  people: readonly PersonPictures[],
  options: TripletBatchesOptions = {},
): TripletBatches {
  const { size = 96, inputSize = size, pictures = 4, augment = 1, seed = 1, cacheBytes = 2 ** 31 } = options
  const count = options.people ?? 24
  assertInteger('createTripletBatches: people', count, 2)
  assertInteger('createTripletBatches: pictures', pictures, 2)
  assertInRange('createTripletBatches: augment', augment, 0, 1)
  if (people.length < count) {
    throw new ValueError(`createTripletBatches: ${people.length} people, expected at least ${count}`)
  }
  const lonely = people.find((person) => person.pictures.length < 2)
  if (lonely) {
    throw new ValueError(`createTripletBatches: ${lonely.name} has fewer than two pictures, leave them out`)
  }
  let random = createRandom(seed)
  const bytes = size * size * 3
  const cache = new Map<() => unknown, Uint8Array>()
  const read = async (picture: PersonPictures['pictures'][number]) => {
    const known = cache.get(picture)
    if (known) return known
    const crop = await picture()
    if (crop.length !== bytes) {
      throw new ValueError(
        `createTripletBatches: a picture has ${crop.length} bytes, expected ${bytes}: ${size} x ${size} x 3`,
      )
    }
    if ((cache.size + 1) * bytes <= cacheBytes) cache.set(picture, crop)
    return crop
  }
  return {
    async next() {
      const everybody = Array.from(people, (_, who) => who)
      const chosen = random.shuffle(everybody).slice(0, count)
      const sources = chosen.flatMap((who) => {
        const own = random.shuffle(people[who].pictures)
        return Array.from({ length: pictures }, (_, i) => own[i % own.length])
      })
      const views = sources.map(() => drawView(random, augment))
      const pixels = new Int32Array(sources.length * bytes)
      for (const [i, crop] of (await Promise.all(sources.map(read))).entries()) pixels.set(crop, i * bytes)
      const images = tf.tidy(() => alter(pixels, views, size, inputSize))
      const who = chosen.flatMap((person) => Array.from({ length: pictures }, () => person))
      return [images, tf.tensor1d(who, 'int32')]
    },
    state: () => ({ random: random.state() }),
    restore(state) {
      const stored = state as { random?: RandomState } | undefined
      if (!stored?.random) {
        throw new ValueError(`TripletBatches.restore: ${showValue(state)} is no state of these batches`)
      }
      random = restoreRandom(stored.random)
    },
  }
}

/** How one picture is altered. */
interface View {
  /** Top, left, bottom, right in 0..1; left and right change places in a mirrored one. */
  box: [number, number, number, number]
  /** Factor and offset of each channel. */
  gains: number[]
  offset: number
}

function drawView(random: Random, amount: number): View {
  const half = 0.5 * (1 + amount * random.uniform(-0.1, 0.1))
  const [x, y] = [0, 1].map(() => 0.5 + amount * random.uniform(-0.06, 0.06))
  const isMirrored = random.uniform() < 0.5 && amount > 0
  const [left, right] = isMirrored ? [x + half, x - half] : [x - half, x + half]
  const gain = 1 + amount * random.uniform(-0.3, 0.3)
  return {
    box: [y - half, left, y + half, right],
    gains: [0, 1, 2].map(() => gain * (1 + amount * random.uniform(-0.08, 0.08))),
    offset: amount * random.uniform(-0.12, 0.12),
  }
}

function alter(pixels: Int32Array, views: readonly View[], size: number, inputSize: number): tf.Tensor4D {
  const count = views.length
  const whole = tf.cast(tf.tensor4d(pixels, [count, size, size, 3], 'int32'), 'float32') as tf.Tensor4D
  const boxes = tf.tensor2d(
    views.map(({ box }) => box),
    [count, 4],
  )
  const indices = tf.tensor1d(Int32Array.from({ length: count }, (_, i) => i), 'int32') // prettier-ignore
  const cut = tf.image.cropAndResize(whole, boxes, indices, [inputSize, inputSize], 'bilinear', 127)
  const gains = tf.tensor(views.flatMap(({ gains }) => gains.map((gain) => gain / 255)), [count, 1, 1, 3]) // prettier-ignore
  const offsets = tf.tensor(
    views.map(({ offset }) => offset),
    [count, 1, 1, 1],
  )
  return tf.clipByValue(tf.add(tf.mul(cut, gains), offsets), 0, 1) as tf.Tensor4D
}
