import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { eyeVertices } from '../scene/eye-parts.js'
import { hasEars } from '../scene/has-ears.js'

type Point = readonly [number, number]

/** Classes of a face model's triangles, decided once on its mean: eyes by regions where the model has them, all else by its landmarks,
 * seen from the front.
 *
 * @returns `[F]` a class of `faceLabels` for each triangle
 */
export function labelFace(model: MorphableModel): Int32Array {
  const { triangles, landmarks } = model
  const mean = model.shape.mean.data
  const point = (index: number): Point => [mean[landmarks[index] * 3], mean[landmarks[index] * 3 + 1]]
  const points = (...indices: number[]) => indices.map(point)
  const range = (first: number, last: number) =>
    Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => first + Math.sign(last - first) * i)
  const eyes = eyeVertices(model)
  const behind = behindFace(model)
  const depthOf = (corners: Int32Array) => corners.reduce((sum, v) => sum + mean[v * 3 + 2], 0) / 3
  const polygons: [Point[], number][] = [
    [points(...range(36, 41)), labelOf('r_eye')],
    [points(...range(42, 47)), labelOf('l_eye')],
    [points(...range(48, 54), 64, 63, 62, 61, 60), labelOf('u_lip')],
    [points(54, 55, 56, 57, 58, 59, 48, 60, 67, 66, 65, 64), labelOf('l_lip')],
    [noseOutline(point), labelOf('nose')],
  ]
  const count = triangles.length / 3
  const result = new Int32Array(count).fill(labelOf('skin'))
  for (let t = 0; t < count; t++) {
    const corners = triangles.subarray(t * 3, t * 3 + 3)
    const middle = (c: number) => corners.reduce((sum, v) => sum + mean[v * 3 + c], 0) / 3
    const center: Point = [middle(0), middle(1)]
    if (eyes) {
      const of = (list: ReadonlySet<number>) => corners.filter((v) => list.has(v)).length >= 2
      if (of(eyes.right)) result[t] = labelOf('r_eye')
      else if (of(eyes.left)) result[t] = labelOf('l_eye')
      if (result[t] !== labelOf('skin')) continue
    }
    const away = behind(center, depthOf(corners))
    if (away !== undefined) {
      result[t] = away
      continue
    }
    const found = polygons.slice(eyes ? 2 : 0).find(([polygon]) => isInside(center, polygon))
    if (found) result[t] = found[1]
  }
  return result
}

/** Tells ears and neck of a model that has them: ears begin behind the upper ends of the jaw's landmarks, the neck below and behind the
 * line of the jaw. */
function behindFace(model: MorphableModel): (center: Point, z: number) => number | undefined {
  if (!hasEars(model)) return () => undefined
  const mean = model.shape.mean.data
  // Both sides are taken for the same.
  const jaw = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => {
    const v = model.landmarks[i] * 3
    return { side: Math.abs(mean[v]), y: mean[v + 1], z: mean[v + 2] }
  })
  const [top, chin] = [jaw[0], jaw[8]]
  return ([x, y], z) => {
    const side = Math.abs(x)
    if (z < top.z - 4 && side > top.side - 2 && y < top.y + 28 && y > top.y - 50) {
      return labelOf(x > 0 ? 'l_ear' : 'r_ear')
    }
    if (y < chin.y - 5) return labelOf('neck')
    const below = jaw.findIndex((point) => point.y < y)
    if (below < 3) return undefined
    const [a, b] = [jaw[below - 1], jaw[below]]
    const line = a.z + ((b.z - a.z) * (y - a.y)) / (b.y - a.y)
    return z < line - 22 ? labelOf('neck') : undefined
  }
}

/** From the root between the eyes along the sides to the wings and below the nostrils. */
function noseOutline(point: (index: number) => Point): Point[] {
  const [root, tip] = [point(27), point(30)]
  const [right, left] = [point(31), point(35)]
  const width = left[0] - right[0]
  const length = root[1] - tip[1]
  const wings = 0.32 * width
  const at = (x: number, y: number): Point => [x, y]
  return [
    at(root[0] - 0.3 * width, root[1] + 0.05 * length),
    at(right[0] - 0.05 * width, tip[1] + 0.45 * length),
    at(right[0] - wings, tip[1] + 0.05 * length),
    at(right[0] - wings, right[1] + 0.05 * length),
    at(right[0] - 0.1 * width, right[1] - 0.12 * length),
    at(point(33)[0], point(33)[1] - 0.12 * length),
    at(left[0] + 0.1 * width, left[1] - 0.12 * length),
    at(left[0] + wings, left[1] + 0.05 * length),
    at(left[0] + wings, tip[1] + 0.05 * length),
    at(left[0] + 0.05 * width, tip[1] + 0.45 * length),
    at(root[0] + 0.3 * width, root[1] + 0.05 * length),
  ]
}

/** Even-odd rule. */
function isInside([x, y]: Point, polygon: readonly Point[]): boolean {
  let inside = false
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length]
    if (y1 > y !== y2 > y && x < x1 + ((x2 - x1) * (y - y1)) / (y2 - y1)) inside = !inside
  })
  return inside
}
