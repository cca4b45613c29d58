import {
  alignSurface,
  applySimilarity3d,
  fitSimilarity3d,
  surfaceTarget,
  type Similarity3d,
  type Surface,
} from '@facekit/mesh'
import type { MorphableModel } from '../model/morphable-model.js'
import { landmarkTemplate } from './landmark-template.js'

/** Widths that a mesh may have, mm: a face from ear to ear, a head with its ears, one with its neck, one with a bit of its shoulders. */
const WIDTHS = [155, 190, 230, 280]
const NOSE = landmarkTemplate.slice(90, 93)
/** A mesh that is met so well needs no other axes to be tried: share of the template that lies on it, and mean distance, mm. */
const CLEAR = { matched: 0.7, distance: 1.8 }
/** The template may not shrink or grow much: a small one fits anywhere. */
const SCALE = { least: 0.6, most: 1.6 }
const COARSE = { rounds: 8, step: 30 }
/** How many of the coarse attempts are refined. */
const FINALISTS = 4
/** Score below which there is no face at all. */
const LEAST_SCORE = 0.15

/** Brings a mesh roughly to model space: as it is, or with its axes turned, whatever meets the template best.
 *
 * @param surface - triangles counter-clockwise from outside
 * @returns undefined where no direction shows a face
 */
export function findAxes(surface: Surface, template: MorphableModel): Similarity3d | undefined {
  const attempt = (rotation: readonly number[], effort?: { rounds: number; step: number }) =>
    WIDTHS.map((width) => {
      const start = startAlong(surface, rotation, width)
      const positions = applySimilarity3d(start, surface.positions)
      return { start, ...meet({ positions, triangles: surface.triangles }, template, effort) }
    }).reduce((most, each) => (each.score > most.score ? each : most))
  const upright = attempt(IDENTITY)
  if (upright.matched > CLEAR.matched && upright.distance < CLEAR.distance) return upright.start
  const best = turns()
    .map((rotation) => ({ rotation, score: attempt(rotation, COARSE).score }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, FINALISTS)
    .map(({ rotation }) => attempt(rotation))
    .reduce((most, each) => (each.score > most.score ? each : most), upright)
  return best.score < LEAST_SCORE ? undefined : best.start
}

function meet(surface: Surface, template: MorphableModel, effort?: { rounds: number; step: number }) {
  const mean = template.shape.mean.data
  const from = { positions: mean, triangles: template.triangles }
  const found = alignSurface(from, surfaceTarget(surface), STAY, effort)
  const { scale } = fitSimilarity3d(mean, found.positions)
  const isFace = scale > SCALE.least && scale < SCALE.most
  return { ...found, score: isFace ? found.matched / (1 + found.distance) : 0 }
}

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1]
const STAY: Similarity3d = { scale: 1, rotation: IDENTITY, translation: [0, 0, 0] }

/** So wide, with the tip of the nose, which reaches farthest, in its place. */
function startAlong({ positions }: Surface, rotation: readonly number[], width: number): Similarity3d {
  const turned = applySimilarity3d({ scale: 1, rotation, translation: [0, 0, 0] }, positions)
  let [left, right, nose] = [Infinity, -Infinity, 0]
  for (let v = 0; v * 3 < turned.length; v++) {
    left = Math.min(left, turned[v * 3])
    right = Math.max(right, turned[v * 3])
    if (turned[v * 3 + 2] > turned[nose * 3 + 2]) nose = v
  }
  const scale = width / (right - left)
  const [x, y, z] = [0, 1, 2].map((c) => NOSE[c] - scale * turned[nose * 3 + c])
  return { scale, rotation, translation: [x, y, z] }
}

/** The 23 other ways to turn the axes onto each other. A flipped axis is such a turn, too, but for left and right, which in a face are
 * alike. */
function turns(): number[][] {
  const found: number[][] = []
  for (const [a, b, c] of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    const isEven = (a + 1) % 3 === b
    for (let signs = 0; signs < 8; signs++) {
      const [x, y, z] = [1, 2, 4].map((bit) => (signs & bit ? -1 : 1))
      if (x * y * z !== (isEven ? 1 : -1)) continue
      const rotation = Array.from({ length: 9 }, () => 0)
      rotation[a] = x
      rotation[3 + b] = y
      rotation[6 + c] = z
      found.push(rotation)
    }
  }
  return found.filter((rotation) => rotation.some((value, i) => value !== IDENTITY[i]))
}

/** The same surface, its triangles turned round where they are seen from inside: where it encloses, around its middle, less than
 * nothing. */
export function facingOutward(surface: Surface): Surface {
  const { positions, triangles } = surface
  const middle = [0, 0, 0]
  for (let i = 0; i < positions.length; i++) middle[i % 3] += (3 * positions[i]) / positions.length
  let volume = 0
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) =>
      [0, 1, 2].map((axis) => positions[triangles[t + k] * 3 + axis] - middle[axis]),
    )
    volume +=
      a[0] * (b[1] * c[2] - b[2] * c[1]) +
      a[1] * (b[2] * c[0] - b[0] * c[2]) +
      a[2] * (b[0] * c[1] - b[1] * c[0])
  }
  if (volume >= 0) return surface
  const turned = triangles.map((vertex, i) => (i % 3 === 0 ? vertex : triangles[i % 3 === 1 ? i + 1 : i - 1]))
  return { positions, triangles: turned }
}
