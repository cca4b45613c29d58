import { assertInRange, assertInteger, ValueError } from '@facekit/core'
import { type Similarity3d, type Surface, surfaceTarget, type SurfaceTarget, normalsOf } from '@facekit/mesh'
import { alignLandmarks } from './align-landmarks.js'
import { composeSimilarities, identitySimilarity } from './compose-similarities.js'
import { createPairs, findPairs, type IcpSampling, trimPairs } from './icp-pairs.js'
import { type IcpMetric, icpStep, type ScaleRange } from './icp-step.js'

/** Options of `alignIcp`. */
export interface IcpOptions {
  /** Landmarks that the start is found from, `[L * 3]` each, at least three. */
  landmarks?: { from: ArrayLike<number>; to: ArrayLike<number> }
  /** The start where there are no landmarks. Default: as it is. */
  start?: Similarity3d
  /** What is made small. Default `'plane'`. */
  metric?: IcpMetric
  /** How far the scale may leave that of the start, as factors; `'none'`: the scale is 1, landmarks or not. Default 0.9 to 1.1. */
  scale?: 'none' | ScaleRange
  /** Whose vertices look for their nearest points on the other surface. Default `'to'`: every part of the truth counts. */
  sample?: 'from' | 'to'
  /** Which vertices of that surface; default all that triangles name. */
  vertices?: ArrayLike<number>
  /** Share of the pairs that are farthest apart and left out, 0 to 0.9. Default 0. */
  trim?: number
  /** Largest angle between the normals of a pair, radians. Default: any. */
  maxAngle?: number
  /** Farthest that a pair may be apart, in the unit of `to`. Default: any. */
  within?: number
  /** Whether pairs on the rim of the searched surface count. Default false: beyond a rim, everything is nearest to it. */
  border?: boolean
  /** Most steps. Default 20. */
  iterations?: number
  /** Ends when the root mean square changes by less than this share. Default 1e-5. */
  tolerance?: number
}

/** What `alignIcp` finds. */
export interface IcpResult {
  /** Takes `from` to `to`. */
  similarity: Similarity3d
  iterations: number
  /** Root mean squared distance of the pairs that counted, in the unit of `to`. */
  residual: number
  /** Share of the sampled vertices that had a pair. */
  matched: number
  /** The scale lies at the end of its range: the surfaces are of different sizes, or noise has drawn it there. */
  scaleAtLimit: boolean
}

// Contributor notes. A free scale is unsafe: with the moving surface's vertices on the target's planes, scale 0 puts all of them on one spot at
// distance 0, and 2 mm of noise is enough to be drawn there; with trimming, closest points are those that agree already, which pulls the scale
// towards the start's. Sampling the truth (the default) has no such minimum, and the range is a second guard: heads of adults differ by less.
// Searching in the searched surface's own space lets one tree serve all steps, and the triangle of the step before starts the search.

/** Iterative closest points between two surfaces, by similarities (Besl and McKay 1992; Chen and Medioni 1992).
 *
 * @param from - moves
 * @param to - stays, e.g. the scan
 * @throws {ValueError} when the landmarks are mirrored, an option is out of range, or fewer than ten vertices find a pair
 * @example
 * const { similarity } = alignIcp(face, scan, { landmarks: { from: seven, to: sevenOfScan } })
 */
export function alignIcp(
  from: Surface | SurfaceTarget,
  to: Surface | SurfaceTarget,
  options: IcpOptions = {},
): IcpResult {
  const { metric = 'plane', sample = 'to', trim = 0, iterations = 20, tolerance = 1e-5 } = options
  assertInRange('alignIcp: trim', trim, 0, 0.9)
  assertInteger('alignIcp: iterations', iterations, 0, 100_000)
  const range = rangeOf(options.scale)
  const start = startOf(options)
  const sampling = sampleOf(from, to, sample, options)
  const pairs = createPairs(sampling.last.length)
  const search = (similarity: Similarity3d) => {
    findPairs(sampling, similarity, pairs)
    if (pairs.count < 10)
      throw new ValueError(
        `alignIcp: ${pairs.count} of ${sampling.last.length} vertices lie over the other surface, expected at least 10; do the surfaces overlap, in the same unit?`,
      )
    const matched = pairs.count / sampling.last.length
    trimPairs(pairs, trim)
    return matched
  }
  let similarity = start
  let matched = search(similarity)
  let residual = rootMeanSquare(pairs.distances, pairs.count)
  let done = 0
  while (done < iterations) {
    const left = start.scale / similarity.scale
    const step = icpStep(pairs, metric, { least: range.least * left, most: range.most * left })
    similarity = composeSimilarities(step, similarity)
    done++
    matched = search(similarity)
    const before = residual
    residual = rootMeanSquare(pairs.distances, pairs.count)
    if (Math.abs(before - residual) <= tolerance * before) break
  }
  const factor = similarity.scale / start.scale
  const isFree = range.most > range.least
  const scaleAtLimit = isFree && (factor < range.least * (1 + 1e-9) || factor > range.most * (1 - 1e-9))
  return { similarity, iterations: done, residual, matched, scaleAtLimit }
}

function rangeOf(scale: IcpOptions['scale']): ScaleRange {
  if (scale === 'none') return { least: 1, most: 1 }
  const { least, most } = scale ?? { least: 0.9, most: 1.1 }
  if (!(least > 0 && most >= least))
    throw new ValueError(`alignIcp: scale is from ${least} to ${most}, expected positive factors in order`)
  return { least, most }
}

function startOf({ landmarks, start = identitySimilarity, scale }: IcpOptions): Similarity3d {
  if (!landmarks) return start
  return alignLandmarks(landmarks.from, landmarks.to, { scale: scale !== 'none' })
}

const targetOf = (surface: Surface | SurfaceTarget): SurfaceTarget =>
  'tree' in surface ? surface : surfaceTarget(surface)

function sampleOf(
  from: Surface | SurfaceTarget,
  to: Surface | SurfaceTarget,
  sample: 'from' | 'to',
  { vertices, maxAngle = Math.PI, within = Infinity, border = false }: IcpOptions,
): IcpSampling {
  const [looking, searched] = sample === 'to' ? [to, from] : [from, to]
  const chosen = vertices ?? usedVertices(looking.triangles)
  const points = rowsOf(looking.positions, chosen)
  return {
    searched: targetOf(searched),
    points,
    ...(maxAngle < Math.PI && {
      pointNormals: Float32Array.from(
        rowsOf(
          'normals' in looking ? looking.normals : normalsOf(looking.positions, looking.triangles),
          chosen,
        ),
      ),
    }),
    fromFixed: sample === 'to',
    agreement: Math.cos(maxAngle),
    within,
    border,
    last: new Int32Array(chosen.length).fill(-1),
  }
}

/** Vertices that triangles name, in their order. */
export function usedVertices(triangles: Int32Array): Int32Array {
  return Int32Array.from(new Set(triangles)).sort()
}

/** Positions of chosen vertices. */
export function rowsOf(positions: ArrayLike<number>, chosen: ArrayLike<number>): Float64Array {
  const rows = new Float64Array(chosen.length * 3)
  for (let i = 0; i < rows.length; i++) rows[i] = positions[chosen[Math.floor(i / 3)] * 3 + (i % 3)]
  return rows
}

function rootMeanSquare(values: Float64Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[i] ** 2
  return Math.sqrt(sum / count)
}
