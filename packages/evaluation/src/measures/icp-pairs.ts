import { applySimilarity3d, type Similarity3d, type SurfaceTarget } from '@facekit/mesh'
import { invertSimilarity, turn } from './compose-similarities.js'

/** Pairs of points that belong together, in the space of the target. Arrays are of `count` rows; later ones are left over. */
export interface IcpPairs {
  count: number
  /** `[P * 3]` points of what moves, where they are now. */
  moved: Float64Array
  /** `[P * 3]` points of what stays. */
  fixed: Float64Array
  /** `[P * 3]` unit normals of the surface that was searched, at its point. */
  normals: Float64Array
  /** `[P]` */
  distances: Float64Array
}

/** Which vertices of one surface look for their nearest points on the other. */
export interface IcpSampling {
  /** The surface that is searched. */
  searched: SurfaceTarget
  /** `[P * 3]` the points that look, in the space of their own surface. */
  points: Float64Array
  /** `[P * 3]` their normals, for the agreement; none are asked for where absent. */
  pointNormals?: Float32Array
  /** Whether the points are those of what stays. */
  fromFixed: boolean
  /** Smallest cosine between the normals of a pair. */
  agreement: number
  /** Farthest that a pair may be apart, in the unit of the target. */
  within: number
  /** Whether pairs on the rim of the searched surface count. */
  border: boolean
  /** `[P]` the triangle that was nearest the time before, -1: none. Is kept up to date. */
  last: Int32Array
}

/** Room for the pairs of all points. */
export function createPairs(points: number): IcpPairs {
  return {
    count: 0,
    moved: new Float64Array(points * 3),
    fixed: new Float64Array(points * 3),
    normals: new Float64Array(points * 3),
    distances: new Float64Array(points),
  }
}

/** Finds the pairs for a similarity that takes what moves to what stays. The search is in the searched surface's own space, so that its tree
 * holds for all similarities. */
export function findPairs(sampling: IcpSampling, similarity: Similarity3d, pairs: IcpPairs): void {
  const { searched, points, pointNormals, fromFixed, agreement, within, border, last } = sampling
  const local = applySimilarity3d(fromFixed ? invertSimilarity(similarity) : similarity, points)
  const { scale, rotation: r, translation: t } = similarity
  const unit = fromFixed ? scale : 1
  const { positions: p, triangles, normals, tree } = searched
  const options = { within: within / unit, near: -1 }
  const { moved, fixed, normals: pairNormals, distances } = pairs
  let count = 0
  for (let i = 0; i < last.length; i++) {
    options.near = last[i]
    const found = tree.nearest(local[i * 3], local[i * 3 + 1], local[i * 3 + 2], options)
    if (!found) continue
    last[i] = found.triangle
    let [x, y, z, nx, ny, nz] = [0, 0, 0, 0, 0, 0]
    let isRim = false
    for (let k = 0; k < 3; k++) {
      const w = found.weights[k]
      const corner = triangles[found.triangle + k]
      isRim ||= w > 0 && searched.border[corner] === 1
      x += w * p[corner * 3]
      y += w * p[corner * 3 + 1]
      z += w * p[corner * 3 + 2]
      nx += w * normals[corner * 3]
      ny += w * normals[corner * 3 + 1]
      nz += w * normals[corner * 3 + 2]
    }
    // Beyond the rim everything is nearest to the rim: that says nothing about the surface.
    if (isRim && !border) continue
    const length = Math.hypot(nx, ny, nz) || 1
    nx /= length
    ny /= length
    nz /= length
    if (fromFixed) [nx, ny, nz] = turn(r, [nx, ny, nz])
    if (pointNormals) {
      let [mx, my, mz] = [pointNormals[i * 3], pointNormals[i * 3 + 1], pointNormals[i * 3 + 2]]
      if (!fromFixed) [mx, my, mz] = turn(r, [mx, my, mz])
      if (nx * mx + ny * my + nz * mz < agreement) continue
    }
    const at = count * 3
    const foot = fromFixed ? moved : fixed
    const own = fromFixed ? fixed : moved
    if (fromFixed) {
      foot[at] = scale * (r[0] * x + r[1] * y + r[2] * z) + t[0]
      foot[at + 1] = scale * (r[3] * x + r[4] * y + r[5] * z) + t[1]
      foot[at + 2] = scale * (r[6] * x + r[7] * y + r[8] * z) + t[2]
      for (let k = 0; k < 3; k++) own[at + k] = points[i * 3 + k]
    } else {
      foot[at] = x
      foot[at + 1] = y
      foot[at + 2] = z
      for (let k = 0; k < 3; k++) own[at + k] = local[i * 3 + k]
    }
    pairNormals[at] = nx
    pairNormals[at + 1] = ny
    pairNormals[at + 2] = nz
    distances[count++] = found.distance * unit
  }
  pairs.count = count
}

/** Leaves out the share of the pairs that are farthest apart. */
export function trimPairs(pairs: IcpPairs, share: number): void {
  if (share <= 0 || pairs.count === 0) return
  const sorted = pairs.distances.slice(0, pairs.count).sort()
  const limit = sorted[Math.max(0, Math.ceil((1 - share) * pairs.count) - 1)]
  let kept = 0
  for (let i = 0; i < pairs.count; i++) {
    if (pairs.distances[i] > limit) continue
    for (const array of [pairs.moved, pairs.fixed, pairs.normals])
      array.copyWithin(kept * 3, i * 3, i * 3 + 3)
    pairs.distances[kept++] = pairs.distances[i]
  }
  pairs.count = kept
}
