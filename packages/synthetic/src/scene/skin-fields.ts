import type { MorphableModel } from '@facekit/morphable'
import type { Vector3 } from '../vector.js'
import { lidMargins } from './eye-parts.js'
import { smoothstep } from './mesh-part.js'

/** Names of what is known of each point of the skin, all 0..1; see `skinFields`. */
export const fieldNames = [
  'beard',
  'moustache',
  'goatee',
  'browRight',
  'browLeft',
  'cheeks',
  'lids',
  'lashes',
  'lowerLashes',
  'seam',
  'iris',
  'nasolabial',
  'forehead',
  'frown',
] as const

/** How far from the lids' edges lines of lashes and of make-up reach, mm. */
const LINER = 5

type Point = readonly [number, number]

/** Where hair grows in a face and colour shows, from the landmarks of the mean face: beard (cheeks below the mouth's height, jaw, throat), moustache,
 * goatee, brows (1 in their middle, 0 a thickness away), cheeks that blush, lids with make-up, the lines of upper and lower
 * lashes, the line between the lips, irises, and where skin folds.
 *
 * @param positions - `[N * 3]` mm, model space, of the mean face and the head around it
 * @returns `[N * 14]` in the order of `fieldNames`
 */
export function skinFields(model: MorphableModel, positions: Float32Array): Float32Array {
  const mean = model.shape.mean.data
  const point = (landmark: number): Point => [
    mean[model.landmarks[landmark] * 3],
    mean[model.landmarks[landmark] * 3 + 1],
  ]
  const [corner, ear, base] = [point(54), point(16), point(33)]
  const [upper, lower] = [point(51), point(57)]
  const eyes = { x: (point(42)[0] + point(45)[0]) / 2, y: (point(42)[1] + point(45)[1]) / 2 }
  const brows = [17, 22].map((first) => [0, 1, 2, 3, 4].map((i) => point(first + i)))
  const browHeight = (point(21)[1] + point(22)[1]) / 2
  const cheekFold: Point[] = [
    [point(35)[0] + 5, point(35)[1] + 5],
    [(point(35)[0] + point(54)[0]) / 2 + 7, (point(35)[1] + point(54)[1]) / 2],
    [point(54)[0] + 6, point(54)[1] - 2],
  ]
  const margins = lidMargins(model)
  const regions = Object.entries(model.regions ?? {})
  const irises = new Set(regions.flatMap(([name, vertices]) => (/^iris/i.test(name) ? [...vertices] : [])))
  const lips = [...new Set(model.innerMouthTriangles)]
  const count = positions.length / 3
  const result = new Float32Array(count * fieldNames.length)
  for (let v = 0; v < count; v++) {
    const [x, y, z] = positions.subarray(v * 3, v * 3 + 3)
    const side = Math.abs(x)
    const front = smoothstep(-20, 5, z)
    // From the sideburn down to the corner of the mouth and to the lower lip.
    const t = Math.min(1, Math.max(0, (side - corner[0] * 0.9) / (ear[0] - corner[0])))
    const line = side < corner[0] ? lower[1] - 3 : corner[1] - 4 + (ear[1] + 4 - corner[1]) * t ** 1.7
    const throat = smoothstep(-128, -104, y) * smoothstep(-75, -30, z)
    const beard = smoothstep(-5, 9, line - y) * throat
    const belowNose = smoothstep(base[1] + 1, base[1] - 4, y) * smoothstep(corner[1] - 4, upper[1] + 2, y)
    const moustache = belowNose * smoothstep(corner[0] * 1.35, corner[0] * 0.9, side) * front
    const ring =
      smoothstep(corner[0] * 1.45, corner[0] * 1.1, side) * smoothstep(lower[1] + 14, lower[1] - 2, y)
    const goatee = ring * throat * front
    const thickness = (xx: number) => 6.2 - 2.6 * smoothstep(30, 58, Math.abs(xx))
    const [right, left] = brows.map((brow) => {
      const distance = toPolyline([x, y + 1.5], brow)
      return Math.max(0, 1 - distance / thickness(x)) * smoothstep(-10, 5, z)
    })
    const cheeks = Math.exp(-((side - 42) ** 2 / 500 + (y + 8) ** 2 / 450)) * front
    const lids = Math.exp(-((side - eyes.x) ** 2 / 320 + (y - eyes.y - 5) ** 2 / 60)) * front
    const near = (list: readonly number[], reach: number) =>
      Math.max(0, 1 - toNearest([x, y, z], mean, list) / reach)
    const lashes = near(margins.upper, LINER)
    const lowerLashes = near(margins.lower, LINER)
    // A crease, which is sharper above than below.
    const fold = toPolyline([side, y], cheekFold)
    const nasolabial = Math.exp(-((fold / 2.6) ** 2)) * front
    const above = y - browHeight
    const forehead = smoothstep(7, 15, above) * smoothstep(48, 36, above) * smoothstep(52, 30, side) * front
    const frown = smoothstep(-7, 0, above) * smoothstep(16, 4, above) * smoothstep(11, 6, side) * front
    const seam = near(lips, 1.5)
    result.set(
      [
        beard,
        moustache,
        goatee,
        right,
        left,
        cheeks,
        lids,
        lashes,
        lowerLashes,
        seam,
        irises.has(v) ? 1 : 0,
        nasolabial,
        forehead,
        frown,
      ],
      v * fieldNames.length,
    )
  }
  return result
}

function toNearest([x, y, z]: Vector3, points: ArrayLike<number>, list: readonly number[]): number {
  let best = Infinity
  for (const v of list) {
    best = Math.min(best, Math.hypot(x - points[v * 3], y - points[v * 3 + 1], z - points[v * 3 + 2]))
  }
  return best
}

function toPolyline([x, y]: Point, line: readonly Point[]): number {
  let best = Infinity
  for (let i = 0; i + 1 < line.length; i++) {
    const [a, b] = [line[i], line[i + 1]]
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
    const t = Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)))
    best = Math.min(best, Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy))
  }
  return best
}
