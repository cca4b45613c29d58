import { assertInRange, assertInteger, createRandom, showValue, ValueError } from '@facekit/core'
import type { SampleEntry } from './find-samples.js'

/** Which samples of a data set, in which order. */
export interface SelectOptions {
  /** Seed of a random order. Default: the order on disk. */
  shuffle?: number
  /** Only a part of the people. A person is always in the same part, also when others are added; samples without an identity go by
   * their picture. */
  split?: {
    part: 'train' | 'held-out'
    /** Share of the people that is held out, 0..1. Default 0.1. */
    share?: number
    /** Another seed holds out other people. Default 0. */
    seed?: number
  }
  /** Only samples whose labels seem at least this good, 0..1; those without a quality stay. Default 0. */
  minQuality?: number
  /** Only these people. */
  identities?: readonly string[]
  /** One's number among `ranks` processes that share the samples, from 0. Default 0. */
  rank?: number
  /** Process r takes samples r, r + ranks, r + 2 ranks, ... of the whole order; all get equally many, the remainder is skipped. Default 1. */
  ranks?: number
}

/** Numbers of the samples that are wanted, in the order in which they are wanted.
 *
 * @throws {ValueError} when an option is out of range, or nothing is left
 */
export function selectSamples(entries: readonly SampleEntry[], options: SelectOptions = {}): number[] {
  const { shuffle, split, minQuality = 0, identities, rank = 0, ranks = 1 } = options
  assertInteger('select: ranks', ranks, 1)
  assertInteger('select: rank', rank, 0, ranks - 1)
  assertInRange('select: minQuality', minQuality, 0, 1)
  const { part, share = 0.1, seed = 0 } = split ?? {}
  assertInRange('select: split.share', share, 0, 1)
  if (part !== undefined && part !== 'train' && part !== 'held-out') {
    throw new ValueError(`select: split.part is ${showValue(part)}, expected "train" or "held-out"`)
  }
  const people = identities && new Set(identities)
  const wanted = (entry: SampleEntry) =>
    (entry.quality ?? 1) >= minQuality &&
    (people === undefined || (entry.identity !== undefined && people.has(entry.identity))) &&
    (part === undefined || isHeldOut(entry, share, seed) === (part === 'held-out'))
  let chosen = entries.flatMap((entry, i) => (wanted(entry) ? [i] : []))
  if (shuffle !== undefined) chosen = createRandom(shuffle).shuffle(chosen)
  const count = Math.floor(chosen.length / ranks)
  if (count === 0) {
    throw new ValueError(
      `select: ${chosen.length} of ${entries.length} samples are left for ${ranks} processes, expected at least one each; ask for less`,
    )
  }
  return Array.from({ length: count }, (_, i) => chosen[i * ranks + rank])
}

function isHeldOut({ identity, picture, key }: SampleEntry, share: number, seed: number): boolean {
  return hash(`${seed}:${identity ?? picture ?? key}`) < share * 2 ** 32
}

/** 32 bits of a text (FNV-1a, finished by that of MurmurHash3, for FNV alone hardly changes the upper bits at a last letter). */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  value ^= value >>> 16
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  value = Math.imul(value, 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
