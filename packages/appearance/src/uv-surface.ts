import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { rasterize } from '@facekit/rasterizer'
import { tensor3d, tidy } from '@tensorflow/tfjs-core'

/** Which point of a model's surface lies at each texel of a square map, top row first (v = 1). */
export interface UvSurface {
  size: number
  /** `[S * S]` triangle, -1: none. */
  triangleIds: Int32Array
  /** `[S * S * 3]` */
  barycentrics: Float32Array
  /** `[F * 3]` vertices, in the order of `triangleIds`. */
  triangles: Int32Array
}

/** The UV of a model, `[N * 2]`.
 *
 * @throws {ValueError} when it has none
 */
export function uvOf(model: MorphableModel): Float32Array {
  if (!model.uv)
    throw new ValueError(
      `createFaceTextures: model "${model.name}" has no UV, expected [N, 2]; use a model that has, or colours of vertices`,
    )
  return Float32Array.from({ length: 2 * model.vertexCount }, (_, i) => model.uv!.get(i >> 1, i & 1))
}

/** Rasterizes a model over its UV. Where triangles overlap, as the few do that span all others of a closed surface, the smallest one
 * is taken. */
export async function uvSurface(model: MorphableModel, uv: Float32Array, size: number): Promise<UvSurface> {
  const triangles = smallestFirst(model.triangles, uv)
  const fragments = tidy(() => {
    const clip = new Float32Array(model.vertexCount * 4)
    for (let i = 0; i < model.vertexCount; i++) {
      // On equal depth the lower index wins.
      clip.set([2 * uv[2 * i] - 1, 2 * uv[2 * i + 1] - 1, 0, 1], 4 * i)
    }
    const { triangleIds, barycentrics } = rasterize(tensor3d(clip, [1, model.vertexCount, 4]), triangles, {
      width: size,
      height: size,
    })
    return { triangleIds, barycentrics }
  })
  const [triangleIds, barycentrics] = await Promise.all([
    fragments.triangleIds.data(),
    fragments.barycentrics.data(),
  ])
  fragments.triangleIds.dispose()
  fragments.barycentrics.dispose()
  return {
    size,
    triangleIds: triangleIds as Int32Array,
    barycentrics: barycentrics as Float32Array,
    triangles,
  }
}

function smallestFirst(triangles: Int32Array, uv: Float32Array): Int32Array {
  const areas = new Float64Array(triangles.length / 3)
  for (let t = 0; t < areas.length; t++) {
    const [a, b, c] = [0, 1, 2].map((corner) => 2 * triangles[3 * t + corner])
    areas[t] = Math.abs((uv[b] - uv[a]) * (uv[c + 1] - uv[a + 1]) - (uv[c] - uv[a]) * (uv[b + 1] - uv[a + 1]))
  }
  const order = Uint32Array.from(areas.keys()).sort((a, b) => areas[a] - areas[b])
  const sorted = new Int32Array(triangles.length)
  for (let t = 0; t < areas.length; t++) sorted.set(triangles.subarray(3 * order[t], 3 * order[t] + 3), 3 * t)
  return sorted
}

/** Spreads numbers of vertices over the texels: `[N * width]` to `[S * S * width]`; 0 where no triangle is. */
export function spreadOverUv(surface: UvSurface, values: ArrayLike<number>, width: number): Float32Array {
  const { triangleIds, barycentrics, triangles } = surface
  // Of one type, or every reading would have to ask for it.
  const numbers = values instanceof Float32Array ? values : Float32Array.from(values)
  const result = new Float32Array(triangleIds.length * width)
  for (let texel = 0; texel < triangleIds.length; texel++) {
    const id = triangleIds[texel]
    if (id < 0) continue
    const a = barycentrics[3 * texel]
    const b = barycentrics[3 * texel + 1]
    const c = barycentrics[3 * texel + 2]
    const p = triangles[3 * id] * width
    const q = triangles[3 * id + 1] * width
    const r = triangles[3 * id + 2] * width
    const to = texel * width
    for (let i = 0; i < width; i++)
      result[to + i] = a * numbers[p + i] + b * numbers[q + i] + c * numbers[r + i]
  }
  return result
}
