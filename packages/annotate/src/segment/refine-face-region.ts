import ndarray, { type NdArray } from 'ndarray'
import { assertShape } from '@facekit/core'
import { blurMask } from '../pictures/blur-mask.js'
import { connectedParts } from './connected-parts.js'
import { polygonCoverage } from '../pictures/polygon-coverage.js'
import type { Points } from '../pictures/similarity-transform.js'
import { featurePolygons } from '../skin/skin-features.js'

/** Takes out of a face region what evidently is not face: hair on the forehead, a hand's sleeve, a microphone, dark glasses.
 *
 * The skin probability is averaged over a few pixels; where it stays below 0.25 the pixel goes, except in the eyes, brows and
 * lips, which are face without being skin (an eye behind a dark glass goes when its surroundings are no skin either). Of what
 * is left the largest connected part is kept, bright holes in it (highlights) and small ones (nostrils) are filled, and the border is
 * softened by a pixel. A bare hand cannot be told from a face by its colour, and stays.
 *
 * @param region - `[S, S]` 0..1, of `faceRegion`
 * @param probability - `[S, S]` 0..1, skin probability of the same crop
 * @param image - `[S, S, 3]` encoded, 0..1
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S, S]` 0..1, nowhere above `region`; the region itself when less than a quarter of it would be left
 * @throws {ShapeError} when a shape differs
 */
export function refineFaceRegion(
  region: NdArray<Float32Array>,
  probability: NdArray<Float32Array>,
  image: NdArray<Float32Array>,
  landmarks: Points,
): NdArray<Float32Array> {
  const { S } = assertShape('refineFaceRegion: region', region, ['S', 'S'])
  assertShape('refineFaceRegion: probability', probability, [S, S])
  assertShape('refineFaceRegion: image', image, [S, S, 3])
  assertShape('refineFaceRegion: landmarks', landmarks, [68, 2])
  const inside = flatten(region, S)
  const skin = flatten(probability, S)
  const smooth = average(skin, inside, S, Math.max(1, Math.round(S / 110)))
  const { eyes, brows, lips } = featurePolygons(landmarks)
  const protectedPolygons = [lips]
  for (const side of [0, 1] as const) {
    const socket = enlarge(eyes[side], 2)
    const ring = polygonCoverage([socket], S, S)
    const hole = polygonCoverage([enlarge(eyes[side], 1.2)], S, S)
    for (let i = 0; i < ring.length; i++) ring[i] *= (1 - hole[i]) * inside[i]
    if (weightedMean(skin, ring) > 0.12)
      protectedPolygons.push(eyes[side], enlarge(eyes[side], 1.3), brows[side])
  }
  const features = polygonCoverage(protectedPolygons, S, S)
  let keep = new Uint8Array(S * S)
  for (let i = 0; i < keep.length; i++) {
    if (inside[i] > 0 && (smooth[i] > 0.25 || features[i] > 0.5)) keep[i] = 1
  }
  keep = largestPart(keep, S)
  fillHoles(keep, inside, image, S)
  const soft = blurMask(Float32Array.from(keep), S, S, 1, 1)
  let kept = 0
  let before = 0
  const refined = new Float32Array(S * S)
  for (let i = 0; i < refined.length; i++) {
    refined[i] = Math.min(inside[i], Math.min(1, Math.max(0, 2 * soft[i] - 0.5)) * inside[i])
    kept += refined[i]
    before += inside[i]
  }
  // Something is wrong with the colours then, not with most of the face.
  return ndarray(kept < 0.25 * before ? inside : refined, [S, S])
}

function flatten(mask: NdArray<Float32Array>, size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => mask.get(Math.floor(i / size), i % size))
}

/** Mean around each pixel over what is inside, so that the border does not count as no skin. */
function average(values: Float32Array, inside: Float32Array, size: number, radius: number): Float32Array {
  const weighted = values.map((value, i) => (inside[i] > 0 ? (value / inside[i]) * inside[i] : 0))
  const sums = blurMask(weighted, size, size, radius, 2)
  const weights = blurMask(inside, size, size, radius, 2)
  return sums.map((sum, i) => (weights[i] > 1e-4 ? sum / weights[i] : 0))
}

function enlarge(polygon: readonly (readonly [number, number])[], factor: number): [number, number][] {
  const mean = [0, 1].map((axis) => polygon.reduce((sum, point) => sum + point[axis], 0) / polygon.length)
  return polygon.map(([x, y]) => [mean[0] + factor * (x - mean[0]), mean[1] + factor * 1.2 * (y - mean[1])])
}

function weightedMean(values: Float32Array, weights: Float32Array): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < values.length; i++) {
    sum += values[i] * weights[i]
    total += weights[i]
  }
  return total > 0 ? sum / total : 0
}

function largestPart(mask: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(mask.length)
  const [largest = []] = connectedParts(mask, 1, size).sort((a, b) => b.length - a.length)
  for (const i of largest) result[i] = 1
  return result
}

/** Fills holes that are small or brighter than the face is on the whole. */
function fillHoles(mask: Uint8Array, inside: Float32Array, image: NdArray<Float32Array>, size: number) {
  const brightness = (pixels: number[]) => {
    const levels = pixels.map((i) => image.get(Math.floor(i / size), i % size, 1)).sort((a, b) => a - b)
    return levels[levels.length >> 1] ?? 0
  }
  const face: number[] = []
  mask.forEach((value, i) => value && face.push(i))
  const typical = brightness(face)
  for (const hole of connectedParts(mask, 0, size)) {
    const enclosed = hole.every((i) => inside[i] > 0)
    const small = hole.length < size * size * 0.004
    if (enclosed && (small || brightness(hole) > typical)) for (const i of hole) mask[i] = 1
  }
}
