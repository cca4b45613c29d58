import type { HostArray } from '@facekit/kernels'
import { wasmMemoryOf, type Address } from './wasm-memory.js'

/** Runs a WASM kernel for each picture when an array lies in its memory; false when it does not.
 *
 * @param arrays - each with the number of its elements for a picture, 0 when it is shared; the triangles follow the third
 */
function runInWasm(
  name: 'interpolate' | 'spreadToAttributes' | 'spreadToBarycentrics',
  arrays: readonly (readonly [HostArray, number])[],
  triangles: Int32Array,
  batch: number,
  pixels: number,
  channels: number,
): boolean {
  const memory = wasmMemoryOf(arrays[0][0])
  if (memory === undefined) return false
  const addresses: Address[] = arrays.map(([array]) => array.byteOffset)
  const trianglesAt = memory.resident(triangles)
  for (let item = 0; item < batch; item++) {
    const at = arrays.map(([, stride], i) => addresses[i] + 4 * item * stride)
    memory.kernels[name](at[0], at[1], at[2], trianglesAt, pixels, channels, at[3])
  }
  return true
}

/** Fills `output` `[B, H, W, C]` with interpolated attributes; 0 where there is no triangle. */
export function interpolateAttributes(
  attributes: Float32Array,
  barycentrics: Float32Array,
  ids: Int32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  output: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  const arrays = [
    [attributes, stride],
    [barycentrics, 3 * pixels],
    [ids, pixels],
    [output, channels * pixels],
  ] as const
  if (runInWasm('interpolate', arrays, triangles, batch, pixels, channels)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    if (f < 0) {
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

/** Fills `gradient`, of the attributes' shape, with the sum over pixels of b_i times the upstream gradient. */
export function spreadToAttributes(
  barycentrics: Float32Array,
  ids: Int32Array,
  upstream: Float32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  gradient: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  gradient.fill(0)
  const arrays = [
    [barycentrics, 3 * pixels],
    [ids, pixels],
    [upstream, channels * pixels],
    [gradient, stride],
  ] as const
  if (runInWasm('spreadToAttributes', arrays, triangles, batch, pixels, channels)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    if (f < 0) continue
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

/** Fills `gradient` `[B, H, W, 3]` with the products of the upstream gradient and the attributes of each vertex. */
export function spreadToBarycentrics(
  attributes: Float32Array,
  ids: Int32Array,
  upstream: Float32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  gradient: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  const arrays = [
    [attributes, stride],
    [ids, pixels],
    [upstream, channels * pixels],
    [gradient, 3 * pixels],
  ] as const
  if (runInWasm('spreadToBarycentrics', arrays, triangles, batch, pixels, channels)) return
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    let da = 0
    let db = 0
    let dc = 0
    if (f >= 0) {
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
