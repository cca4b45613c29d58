import { assertInteger, createRandom, ShapeError, ValueError } from '@facekit/core'

/** Options of `evaluateVerification`. */
export interface VerificationOptions {
  /** Most pairs of one person, and as many of two people; drawn at random. Default 6000. */
  pairs?: number
  /** `[N]` pictures that are nearly the same, such as frames of one clip, share a number: they make no pair. Default: none. */
  groups?: ArrayLike<number>
  /** Of what is drawn. Default 1. */
  seed?: number
}

/** How well embeddings tell people apart. */
export interface VerificationScores {
  /** Share of pairs that are judged right, each tenth by the threshold that is best for the other nine (as on LFW). */
  accuracy: number
  /** Mean of those ten thresholds: a Euclidean distance. */
  threshold: number
  /** Area under the receiver operating characteristic: chance that a pair of one person is nearer than one of two people. */
  auc: number
  /** Share of pairs of one person that are accepted where one in a hundred pairs of two people is. */
  acceptedAt1Percent: number
  /** Pairs of each kind. */
  pairs: number
}

/** Measures embeddings by verification: are two pictures of one person?
 *
 * @param embeddings - `[N * D]`
 * @param people - `[N]` who each is
 * @returns the same for the same seed
 * @throws {ShapeError} when the lengths do not fit
 * @throws {ValueError} when there are no pairs of one kind
 */
export function evaluateVerification(
  embeddings: ArrayLike<number>,
  people: ArrayLike<number>,
  options: VerificationOptions = {},
): VerificationScores {
  const { groups, seed = 1 } = options
  const count = people.length
  assertInteger('evaluateVerification: pairs', options.pairs ?? 6000, 10)
  if (count === 0 || embeddings.length % count !== 0 || (groups && groups.length !== count)) {
    throw new ShapeError(
      `evaluateVerification: ${embeddings.length} numbers for ${count} pictures${groups ? ` in ${groups.length} groups` : ''}, expected as many for each`,
    )
  }
  const random = createRandom(seed)
  const own: [number, number][] = []
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      if (people[i] === people[j] && !(groups && groups[i] === groups[j])) own.push([i, j])
    }
  }
  const pairs = Math.min(options.pairs ?? 6000, own.length)
  const strangers: [number, number][] = []
  for (let tries = 0; strangers.length < pairs && tries < 100 * pairs + 1000; tries++) {
    const [i, j] = [random.integer(count), random.integer(count)]
    if (people[i] !== people[j]) strangers.push([i, j])
  }
  if (pairs < 10 || strangers.length < pairs) {
    throw new ValueError(
      `evaluateVerification: ${own.length} pairs of one person and ${strangers.length} of two, expected at least 10 of each`,
    )
  }
  const size = embeddings.length / count
  const distance = ([i, j]: [number, number]) => {
    let sum = 0
    for (let k = 0; k < size; k++) sum += (embeddings[i * size + k] - embeddings[j * size + k]) ** 2
    return Math.sqrt(sum)
  }
  const near = random.shuffle(own).slice(0, pairs).map(distance)
  return { ...judgeDistances(near, strangers.map(distance)), pairs }
}

/** Scores of distances of pairs of one person, and of two people, as many of each. */
function judgeDistances(near: number[], far: number[]): Omit<VerificationScores, 'pairs'> {
  const FOLDS = 10
  let [right, thresholds] = [0, 0]
  for (let fold = 0; fold < FOLDS; fold++) {
    const isHeld = (_: number, i: number) => i % FOLDS === fold
    const others = (list: number[]) => list.filter((value, i) => !isHeld(value, i))
    const threshold = bestThreshold(others(near), others(far))
    thresholds += threshold / FOLDS
    right += near.filter(isHeld).filter((value) => value <= threshold).length
    right += far.filter(isHeld).filter((value) => value > threshold).length
  }
  const sortedFar = far.toSorted((a, b) => a - b)
  let auc = 0
  for (const value of near) auc += 1 - rank(sortedFar, value) / far.length
  const strict = sortedFar[Math.floor(0.01 * far.length)]
  return {
    accuracy: right / (near.length + far.length),
    threshold: thresholds,
    auc: auc / near.length,
    acceptedAt1Percent: near.filter((value) => value < strict).length / near.length,
  }
}

/** The distance up to which pairs are best taken for one person. */
function bestThreshold(near: number[], far: number[]): number {
  const all = [...near.map((value) => [value, 1] as const), ...far.map((value) => [value, -1] as const)]
  all.sort((a, b) => a[0] - b[0])
  let [gain, best, threshold] = [0, 0, 0]
  for (const [value, sign] of all) {
    gain += sign
    if (gain > best) [best, threshold] = [gain, value]
  }
  return threshold
}

/** How many of sorted numbers are smaller; equal ones count half. */
function rank(sorted: readonly number[], value: number): number {
  const bound = (isBefore: (other: number) => boolean) => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(sorted[middle])) low = middle + 1
      else high = middle
    }
    return low
  }
  return (bound((other) => other < value) + bound((other) => other <= value)) / 2
}
