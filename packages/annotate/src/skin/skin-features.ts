import type { NdArray } from 'ndarray'
import { centre, corners } from '../segment/face-region.js'
import { polygonCoverage, type Polygon } from '../pictures/polygon-coverage.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Numbers of a colour in which skin is classified. */
export const skinFeatureCount = 3

// Keeps the logarithms of dark pixels, which are mostly noise, near each other.
const floor = 0.04

/** Log brightness, log red over green, log blue over green, of an encoded colour in 0..1.
 *
 * Brightness of the light moves only the first, its colour shifts the others by constants (nearly, for encoded values).
 */
export function skinFeatures(r: number, g: number, b: number, features: Float64Array | number[]): void {
  const green = Math.log(g + floor)
  features[0] = Math.log(0.299 * r + 0.587 * g + 0.114 * b + floor)
  features[1] = Math.log(r + floor) - green
  features[2] = Math.log(b + floor) - green
}

/** Polygons of bare skin in nearly every face: both cheeks, below the eyes and above where beards grow, the nose, and the
 * place between the brows. */
export function bareSkinPolygons(landmarks: Points): Polygon[] {
  const at = (i: number): [number, number] => [landmarks.get(i, 0), landmarks.get(i, 1)]
  const between = (a: readonly number[], b: readonly number[], share: number): [number, number] => [
    a[0] + share * (b[0] - a[0]),
    a[1] + share * (b[1] - a[1]),
  ]
  const cheek = (lid: number, corner: number, wing: number, mouth: number, jaw: number): Polygon => [
    between(at(lid), at(mouth), 0.3),
    between(at(corner), at(wing), 0.5),
    between(at(wing), at(mouth), 0.3),
    between(at(mouth), at(jaw + (jaw < 8 ? 1 : -1)), 0.4),
    between(at(jaw), at(wing), 0.3),
  ]
  const root = centre(landmarks, 27, 27)
  return [
    cheek(41, 39, 31, 48, 2),
    cheek(46, 42, 35, 54, 14),
    [between(root, at(39), 0.3), at(31), at(35), between(root, at(42), 0.3)],
    [at(21), at(22), root],
  ]
}

/** What bare skin looks like in one picture. */
export interface SkinReference {
  /** Medians of the features: over cheeks, nose and the place between the brows together, then over each cheek alone (light
   * from one side makes two skins of one). None when there is nothing to look at. */
  centres: number[][]
}

/** Looks at the bare skin of a crop, patch by patch; patches that something covers (a mask, a microphone) are left out when
 * they look much less like skin than the best one.
 *
 * @param image - `[S, S, 3]` encoded, 0..1
 * @param landmarks - `[68, 2]` pixels of the crop
 * @param mask - `[S, S]`: pixels of less than 0.5 are not looked at
 * @param score - log-odds that a colour is skin, whatever the picture
 */
export function skinReference(
  image: NdArray<Float32Array>,
  landmarks: Points,
  mask?: NdArray<Float32Array>,
  score: (features: number[]) => number = () => 0,
): SkinReference {
  const patches = bareSkinPolygons(landmarks)
    .map((polygon, i) => ({ isCheek: i < 2, columns: patchFeatures(image, polygon, mask) }))
    .filter(({ columns }) => columns[0].length > 0)
    .map((patch) => ({ ...patch, score: score(patch.columns.map(median)) }))
  const best = Math.max(...patches.map((patch) => patch.score))
  const kept = patches.filter((patch) => patch.score >= best - 6)
  if (kept.length === 0) return { centres: [] }
  const all = Array.from({ length: skinFeatureCount }, (_, i) => kept.flatMap((patch) => patch.columns[i]))
  // The far cheek of a turned head is a sliver with much background in it.
  const cheeks = kept.filter((patch) => patch.isCheek && patch.columns[0].length > 0.15 * all[0].length)
  return { centres: [all.map(median), ...cheeks.map(({ columns }) => columns.map(median))] }
}

function patchFeatures(
  image: NdArray<Float32Array>,
  polygon: Polygon,
  mask?: NdArray<Float32Array>,
): number[][] {
  const [height, width] = image.shape
  const coverage = polygonCoverage([polygon], width, height)
  const columns: number[][] = Array.from({ length: skinFeatureCount }, () => [])
  const features = new Float64Array(skinFeatureCount)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (coverage[y * width + x] < 0.5 || (mask && mask.get(y, x) < 0.5)) continue
      skinFeatures(image.get(y, x, 0), image.get(y, x, 1), image.get(y, x, 2), features)
      columns.forEach((column, i) => column.push(features[i]))
    }
  }
  return columns
}

function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted.length ? sorted[sorted.length >> 1] : 0
}

/** Landmarks' polygons of what is face but not skin: eyes, brows (a band of some thickness) and lips. */
export function featurePolygons(landmarks: Points): {
  eyes: [Polygon, Polygon]
  brows: [Polygon, Polygon]
  lips: Polygon
} {
  const height = Math.hypot(
    landmarks.get(27, 0) - landmarks.get(33, 0),
    landmarks.get(27, 1) - landmarks.get(33, 1),
  )
  const band = (first: number): Polygon => {
    const line = corners(landmarks, first, first + 4)
    const shifted = (by: number) => line.map(([x, y]): [number, number] => [x, y + by * height])
    return [...shifted(-0.08), ...shifted(0.14).toReversed()]
  }
  return {
    eyes: [corners(landmarks, 36, 41), corners(landmarks, 42, 47)],
    brows: [band(17), band(22)],
    lips: corners(landmarks, 48, 59),
  }
}
