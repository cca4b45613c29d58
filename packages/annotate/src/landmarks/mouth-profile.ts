import type { NdArray } from 'ndarray'
import type { Points } from '../pictures/similarity-transform.js'

/** Inner landmarks that face each other, upper first. */
export const innerPairs: readonly (readonly [number, number])[] = [
  [61, 67],
  [62, 66],
  [63, 65],
]

/** Half the length of a profile and its step, in widths of the mouth. */
const REACH = 0.26
const STEP = 0.01
/** Profiles from the first inner pair to the last. */
const COLUMNS = 13
/** Samples that a profile has on each side of its middle. */
export const reach = Math.round(REACH / STEP)

/** A coordinate system of the mouth, in pixels. */
export interface MouthFrame {
  /** Distance of the outer corners. */
  width: number
  /** Unit vectors: from corner 48 to corner 54, and from the upper lip to the lower. */
  along: readonly [number, number]
  down: readonly [number, number]
}

/** The mean look of a mouth across the lips, and the line along which the lips meet or are darkest. */
export interface MouthProfile {
  /** Encoded colours at distances -`reach` .. `reach` steps of a hundredth of the width from the dark line. */
  colors: [number, number, number][]
  /** Offset of the dark line from the middles of the three inner pairs, downwards, in widths. */
  seam: [number, number, number]
}

/** The frame of the mouth; none when the corners coincide. */
export function mouthFrame(landmarks: Points): MouthFrame | undefined {
  const x = landmarks.get(54, 0) - landmarks.get(48, 0)
  const y = landmarks.get(54, 1) - landmarks.get(48, 1)
  const width = Math.hypot(x, y)
  if (!(width > 1)) return undefined
  return { width, along: [x / width, y / width], down: [-y / width, x / width] }
}

/** The middle of landmarks `a` and `b`. */
export const middle = (landmarks: Points, a: number, b: number): [number, number] => [
  (landmarks.get(a, 0) + landmarks.get(b, 0)) / 2,
  (landmarks.get(a, 1) + landmarks.get(b, 1)) / 2,
]

/** Brightness of an encoded colour. */
export const brightness = ([r, g, b]: readonly [number, number, number]): number =>
  0.299 * r + 0.587 * g + 0.114 * b

/** Colour of a crop at a point, bilinear; beyond the border that of the border. */
export function colorAt(image: NdArray<Float32Array>, x: number, y: number): [number, number, number] {
  const [height, width] = image.shape
  const px = Math.min(width - 1, Math.max(0, x - 0.5))
  const py = Math.min(height - 1, Math.max(0, y - 0.5))
  const x0 = Math.min(width - 2, Math.floor(px))
  const y0 = Math.min(height - 2, Math.floor(py))
  const [fx, fy] = [px - x0, py - y0]
  const channel = (c: number) =>
    (1 - fy) * ((1 - fx) * image.get(y0, x0, c) + fx * image.get(y0, x0 + 1, c)) +
    fy * ((1 - fx) * image.get(y0 + 1, x0, c) + fx * image.get(y0 + 1, x0 + 1, c))
  return [channel(0), channel(1), channel(2)]
}

/** Looks across the lips in several places and brings the darkest lines on top of each other. */
export function mouthProfile(
  image: NdArray<Float32Array>,
  landmarks: Points,
  frame: MouthFrame,
): MouthProfile {
  const { width, down } = frame
  const middles = innerPairs.map(([upper, lower]) => middle(landmarks, upper, lower))
  const columns = Array.from({ length: COLUMNS }, (_, j) => {
    const place = (2 * j) / (COLUMNS - 1)
    const left = Math.min(1, Math.floor(place))
    const share = place - left
    const x = (1 - share) * middles[left][0] + share * middles[left + 1][0]
    const y = (1 - share) * middles[left][1] + share * middles[left + 1][1]
    return Array.from({ length: 2 * reach + 1 }, (_, k) => {
      const distance = (k - reach) * STEP * width
      return colorAt(image, x + distance * down[0], y + distance * down[1])
    })
  })
  const seam = darkLine(columns.map((column) => column.map(brightness)))
  const colors = Array.from({ length: 2 * reach + 1 }, (_, k) => {
    const sum: [number, number, number] = [0, 0, 0]
    for (const [j, column] of columns.entries()) {
      const color = column[Math.min(2 * reach, Math.max(0, seam[j] + k - reach))]
      for (let c = 0; c < 3; c++) sum[c] += color[c] / COLUMNS
    }
    return sum
  })
  const last = COLUMNS - 1
  const near = (j: number) => {
    const around = seam.slice(Math.max(0, j - 1), j + 2)
    return (around.reduce((sum, k) => sum + k, 0) / around.length - reach) * STEP
  }
  return { colors, seam: [near(0), near(last / 2), near(last)] }
}

/** The darkest line from the first column to the last that is smooth and near the middle, by dynamic programming. */
function darkLine(columns: readonly number[][]): number[] {
  const sorted = columns.flat().sort((a, b) => a - b)
  const typical = sorted[Math.floor(0.7 * sorted.length)] + 0.02
  const cost = columns.map((column) =>
    column.map((value, k) => value / typical + 0.25 * ((k - reach) / 10) ** 2),
  )
  const from: Int32Array[] = []
  for (let j = 1; j < cost.length; j++) {
    from[j] = new Int32Array(cost[j].length)
    for (let k = 0; k < cost[j].length; k++) {
      let best = Infinity
      for (let before = Math.max(0, k - 2); before <= Math.min(cost[j].length - 1, k + 2); before++) {
        const total = cost[j - 1][before] + 0.02 * (k - before) ** 2
        if (total < best) {
          best = total
          from[j][k] = before
        }
      }
      cost[j][k] += best
    }
  }
  const last = cost.length - 1
  const line: number[] = []
  line[last] = cost[last].indexOf(Math.min(...cost[last]))
  for (let j = last; j > 0; j--) line[j - 1] = from[j][line[j]]
  return line
}
