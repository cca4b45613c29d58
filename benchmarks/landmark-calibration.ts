/** By how much the deviations of the dense landmark network are too small on photographs.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/landmarks.ts --people 100 --rendered 0 --networks dense3d --save points.json
 *   node --conditions=@facekit/source --import tsx benchmarks/landmark-calibration.ts points.json
 *
 * Differences from annotations are the network's errors and the annotations' own. Of both the variance is fitted on half of the people of youtube-faces, by
 * maximum likelihood (squares go on as straight lines beyond three deviations):
 *
 *     difference ~ N(constant of the landmark, factor^2 deviation^2 + noise^2)
 *
 * and checked on the other half: 68 % of differences along an axis are to lie within one deviation.
 */
import { readFileSync } from 'node:fs'
import { printTable } from './benchmark.js'

interface Saved {
  set: string
  network: string
  points: number[]
  truth: number[]
  deviations?: number[]
}

/** Of one face: differences `[136]` and deviations `[68]`, in sizes of the face. */
interface Face {
  differences: number[]
  deviations: number[]
}

const REGIONS = {
  jaw: [0, 17],
  brows: [17, 27],
  nose: [27, 36],
  eyes: [36, 48],
  lips: [48, 68],
  'all but the jaw': [17, 68],
} as const
const FAR = 3

const saved = JSON.parse(readFileSync(process.argv[2], 'utf8')) as Saved[]
const faces = (set: string) =>
  saved.filter((face) => face.network === 'dense3d' && face.set.startsWith(set)).map(faceOf)
const people = faces('youtube-faces')
const [fitted, checked] = [0, 1].map((half) => people.filter((_, i) => i % 2 === half))
const constants = constantsOf(fitted)

function faceOf({ points, truth, deviations = [] }: Saved): Face {
  const axis = (k: number) => truth.filter((_, i) => i % 2 === k)
  const size = Math.sqrt([0, 1].reduce((area, k) => area * (Math.max(...axis(k)) - Math.min(...axis(k))), 1))
  return {
    differences: points.map((value, i) => (value - truth[i]) / size),
    deviations: deviations.map((value) => value / size),
  }
}

function constantsOf(some: readonly Face[]): number[] {
  return some[0].differences.map((_, i) => {
    const sorted = some.map(({ differences }) => differences[i]).toSorted((a, b) => a - b)
    return sorted[sorted.length >> 1]
  })
}

/** Distances and deviations of a region. */
const pairs = (some: readonly Face[], [from, to]: readonly [number, number], less: readonly number[]) =>
  some.flatMap(({ differences, deviations }) =>
    Array.from({ length: 2 * (to - from) }, (_, i) => {
      const at = 2 * from + i
      return [Math.abs(differences[at] - less[at]), deviations[at >> 1]] as const
    }),
  )

type Pairs = ReturnType<typeof pairs>
const within = (list: Pairs, factor: number, noise: number) =>
  (100 * list.filter(([distance, deviation]) => distance < Math.hypot(factor * deviation, noise)).length) /
  list.length

function likelihood(list: Pairs, factor: number, noise: number): number {
  let sum = 0
  for (const [distance, deviation] of list) {
    const whole = Math.hypot(factor * deviation, noise)
    const length = distance / whole
    const near = Math.min(length, FAR)
    sum -= near * (length - near / 2) + Math.log(whole)
  }
  return sum
}

function fit(list: Pairs): { factor: number; noise: number } {
  let best = { factor: 1, noise: 0.01, value: -Infinity }
  for (let f = 0; f <= 60; f++) {
    for (let n = 0; n <= 60; n++) {
      const [factor, noise] = [0.6 * 6 ** (f / 60), 0.001 * 30 ** (n / 60)]
      const value = likelihood(list, factor, noise)
      if (value > best.value) best = { factor, noise, value }
    }
  }
  return best
}

const rows = Object.entries(REGIONS).map(([region, range]) => {
  const { factor, noise } = fit(pairs(fitted, range, constants))
  const others = pairs(checked, range, constants)
  return {
    region,
    factor,
    "annotations' noise %": 100 * noise,
    'within before %': within(others, 1, 0),
    'within, noise alone %': within(others, 1, noise),
    'within, both %': within(others, factor, noise),
  }
})
printTable(rows)
