import type { MorphableModel } from '@facekit/morphable'
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

/** Vertices of the margins of upper and lower lids, left and right together: of the region `lidMargins`, else the landmarks. */
export function lidMargins(model: MorphableModel): { upper: number[]; lower: number[] } {
  const mean = model.shape.mean.data
  const corner = (landmark: number) => [0, 1, 2].map((c) => mean[model.landmarks[landmark] * 3 + c])
  const margins = model.regions?.lidMargins
  if (!margins) {
    return {
      upper: [36, 37, 38, 39, 42, 43, 44, 45].map((l) => model.landmarks[l]),
      lower: [36, 41, 40, 39, 42, 47, 46, 45].map((l) => model.landmarks[l]),
    }
  }
  /** Above the line from corner to corner. */
  const height = (v: number) => {
    const [a, b] = mean[v * 3] < 0 ? [corner(36), corner(39)] : [corner(42), corner(45)]
    const t = (mean[v * 3] - a[0]) / (b[0] - a[0])
    return mean[v * 3 + 1] - a[1] - t * (b[1] - a[1])
  }
  return {
    upper: Array.from(margins).filter((v) => height(v) >= -0.4),
    lower: Array.from(margins).filter((v) => height(v) <= 0.4),
  }
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
