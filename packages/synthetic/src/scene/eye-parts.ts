import type { MorphableModel } from '@facekit/morphable'
import { lidEdges } from './lid-edges.js'
import type { VertexRange } from './scene-model.js'

/** Vertices of the eyeballs, the subject's right and left; undefined where the model does not tell. */
export function eyeVertices(model: MorphableModel): { right: Set<number>; left: Set<number> } | undefined {
  const names = Object.keys(model.regions ?? {}).filter((name) => /^(sclera|iris)/i.test(name))
  if (names.length === 0) return undefined
  const mean = model.shape.mean.data
  const all = names.flatMap((name) => [...model.regions![name]])
  return {
    right: new Set(all.filter((v) => mean[v * 3] < 0)),
    left: new Set(all.filter((v) => mean[v * 3] > 0)),
  }
}

/** Vertices of the edges of upper and lower lids, left and right together. */
export function lidMargins(model: MorphableModel): { upper: number[]; lower: number[] } {
  const { right, left } = lidEdges(model)
  return { upper: [...right.upper, ...left.upper], lower: [...right.lower, ...left.lower] }
}

/** What lies above and below the vertices of eyeballs and of what is in the mouth, and takes light from them. */
export interface LidHosts {
  /** `[N]` each: vertices of the lids' margins, of the lips; elsewhere the vertex itself. */
  upper: Int32Array
  lower: Int32Array
  /** `[N]` how much light they can take: 1 on eyeballs, less in the mouth, else 0. */
  share: Float32Array
}

/** In the mouth. */
const MOUTH_SHARE = 0.8

/** @param mouth - vertices of teeth and tongue
 * @param count - vertices of the scene */
export function lidHosts(model: MorphableModel, mouth: readonly VertexRange[], count: number): LidHosts {
  const own = Int32Array.from({ length: count }, (_, v) => v)
  const result = { upper: own, lower: own.slice(), share: new Float32Array(count) }
  for (const { first, count: length } of mouth) {
    result.upper.fill(model.landmarks[62], first, first + length)
    result.lower.fill(model.landmarks[66], first, first + length)
    result.share.fill(MOUTH_SHARE, first, first + length)
  }
  const eyes = eyeVertices(model)
  if (!eyes) return result
  const mean = model.shape.mean.data
  const { upper, lower } = lidMargins(model)
  for (const v of [...eyes.right, ...eyes.left]) {
    const nearest = (margin: readonly number[]) =>
      margin.reduce((best, u) =>
        Math.abs(mean[u * 3] - mean[v * 3]) < Math.abs(mean[best * 3] - mean[v * 3]) ? u : best,
      )
    result.upper[v] = nearest(upper)
    result.lower[v] = nearest(lower)
    result.share[v] = 1
  }
  return result
}
