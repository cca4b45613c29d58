import type { HostArray } from '@facekit/kernels'
import { wasmMemoryOf } from './wasm-memory.js'

/** Pixels of a batch of pictures, and the mesh that they show. */
export interface InterpolatedPixels {
  /** `[B, H, W]` index of the triangle at each pixel, negative for background. */
  ids: Int32Array
  /** `[F, 3]` */
  triangles: Int32Array
  batch: number
  /** N, vertices of one picture. */
  vertices: number
  /** C, numbers of a vertex. */
  channels: number
  /** Whether all pictures have the same attributes, `[1, N, C]`. Default false. */
  shared?: boolean
  /** Numbers from pixel to pixel of the picture, at least C: those behind the first C are left alone. Default C. */
  step?: number
  /** Triangles from this one on count as background. Default F. */
  triangleCount?: number
}

interface Strides {
  /** Pixels of a picture. */
  pixels: number
  /** Numbers from picture to picture of the attributes, 0 when they are shared. */
  stride: number
  step: number
  count: number
}

const stridesOf = ({
  ids,
  triangles,
  batch,
  vertices,
  channels,
  shared = false,
  step = channels,
  triangleCount = triangles.length / 3,
}: InterpolatedPixels): Strides => ({
  pixels: ids.length / batch,
  stride: shared ? 0 : vertices * channels,
  step,
  count: triangleCount,
})

/** Runs a WASM kernel for each picture when an array lies in its memory; false when it does not.
 *
 * @param arrays - each with the number of its elements for a picture, 0 when it is shared; the triangles follow the third
 */
function runInWasm(
  name: 'interpolate' | 'spreadToAttributes' | 'spreadToBarycentrics',
  arrays: readonly (readonly [HostArray, number])[],
  { triangles, batch, channels }: InterpolatedPixels,
  { pixels, step, count }: Strides,
): boolean {
  const memory = wasmMemoryOf(arrays[0][0])
  if (memory === undefined) return false
  const starts = arrays.map(([array]) => array.byteOffset)
  const trianglesAt = memory.resident(triangles)
  for (let item = 0; item < batch; item++) {
    const [first, second, third, last] = arrays.map(([, stride], i) => starts[i] + 4 * item * stride)
    memory.kernels[name](first, second, third, trianglesAt, count, pixels, channels, step, last)
  }
  return true
}

/** Fills a picture with interpolated attributes; 0 on background. The loop of `interpolate`, for packages that make more than that of a
 * pixel in one kernel.
 *
 * In WebAssembly where the arrays lie in its memory, else in TypeScript; the same bits either way.
 *
 * @param attributes - `[B or 1, N, C]`
 * @param barycentrics - `[B, H, W, 3]`
 * @param output - `[B, H, W, step]`
 */
export function interpolateArrays(
  scene: InterpolatedPixels,
  attributes: Float32Array,
  barycentrics: Float32Array,
  output: Float32Array,
): void {
  const { ids, triangles, channels } = scene
  const strides = stridesOf(scene)
  const { pixels, stride, step, count } = strides
  const arrays = [
    [attributes, stride],
    [barycentrics, 3 * pixels],
    [ids, pixels],
    [output, step * pixels],
  ] as const
  if (runInWasm('interpolate', arrays, scene, strides)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += step) {
    const f = ids[q]
    if (f < 0 || f >= count) {
      for (let k = 0; k < channels; k++) output[o + k] = 0
      continue
    }
    const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
    const a = base + triangles[3 * f] * channels
    const b = base + triangles[3 * f + 1] * channels
    const c = base + triangles[3 * f + 2] * channels
    const wa = barycentrics[3 * q]
    const wb = barycentrics[3 * q + 1]
    const wc = barycentrics[3 * q + 2]
    for (let k = 0; k < channels; k++) {
      output[o + k] = wa * attributes[a + k] + wb * attributes[b + k] + wc * attributes[c + k]
    }
  }
}

/** Fills the gradient of the attributes of `interpolateArrays`: the sum over pixels of b_i times the upstream gradient.
 *
 * @param barycentrics - `[B, H, W, 3]`
 * @param upstream - `[B, H, W, step]`
 * @param gradient - `[B or 1, N, C]`
 */
export function interpolateArraysToAttributes(
  scene: InterpolatedPixels,
  barycentrics: Float32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const { ids, triangles, channels } = scene
  const strides = stridesOf(scene)
  const { pixels, stride, step, count } = strides
  gradient.fill(0)
  const arrays = [
    [barycentrics, 3 * pixels],
    [ids, pixels],
    [upstream, step * pixels],
    [gradient, stride],
  ] as const
  if (runInWasm('spreadToAttributes', arrays, scene, strides)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += step) {
    const f = ids[q]
    if (f < 0 || f >= count) continue
    const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
    const a = base + triangles[3 * f] * channels
    const b = base + triangles[3 * f + 1] * channels
    const c = base + triangles[3 * f + 2] * channels
    const wa = barycentrics[3 * q]
    const wb = barycentrics[3 * q + 1]
    const wc = barycentrics[3 * q + 2]
    for (let k = 0; k < channels; k++) {
      const g = upstream[o + k]
      gradient[a + k] += wa * g
      gradient[b + k] += wb * g
      gradient[c + k] += wc * g
    }
  }
}

/** Fills the gradient of the barycentrics of `interpolateArrays`: products of the upstream gradient and each corner's attributes.
 *
 * @param attributes - `[B or 1, N, C]`
 * @param upstream - `[B, H, W, step]`
 * @param gradient - `[B, H, W, 3]`
 */
export function interpolateArraysToBarycentrics(
  scene: InterpolatedPixels,
  attributes: Float32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const { ids, triangles, channels } = scene
  const strides = stridesOf(scene)
  const { pixels, stride, step, count } = strides
  const arrays = [
    [attributes, stride],
    [ids, pixels],
    [upstream, step * pixels],
    [gradient, 3 * pixels],
  ] as const
  if (runInWasm('spreadToBarycentrics', arrays, scene, strides)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += step) {
    const f = ids[q]
    let da = 0
    let db = 0
    let dc = 0
    if (f >= 0 && f < count) {
      const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
      const a = base + triangles[3 * f] * channels
      const b = base + triangles[3 * f + 1] * channels
      const c = base + triangles[3 * f + 2] * channels
      // Odd channels apart, as the vectors of assembly/interpolate.ts add them up.
      let oddA = 0
      let oddB = 0
      let oddC = 0
      let k = 0
      for (; k + 1 < channels; k += 2) {
        const g = upstream[o + k]
        const next = upstream[o + k + 1]
        da += g * attributes[a + k]
        db += g * attributes[b + k]
        dc += g * attributes[c + k]
        oddA += next * attributes[a + k + 1]
        oddB += next * attributes[b + k + 1]
        oddC += next * attributes[c + k + 1]
      }
      da += oddA
      db += oddB
      dc += oddC
      if (k < channels) {
        const g = upstream[o + k]
        da += g * attributes[a + k]
        db += g * attributes[b + k]
        dc += g * attributes[c + k]
      }
    }
    gradient[3 * q] = da
    gradient[3 * q + 1] = db
    gradient[3 * q + 2] = dc
  }
}
