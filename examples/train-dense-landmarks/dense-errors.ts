import type { DenseNetwork } from '@facekit/annotate'
import type { DenseBatch } from '@facekit/annotate-training'
import * as tf from '@tensorflow/tfjs-core'

const OPENINGS = [
  [37, 41],
  [38, 40],
  [43, 47],
  [44, 46],
  [61, 67],
  [62, 66],
  [63, 65],
] as const
const IBUG = 68

/** Errors on held-out pictures: `seen` and `hidden` points, the 68 (`ibug`), the `outline`, `depth`s, `openings` of lids and lips, mean distances
 * in per cent of the crop's width; `within...`: shares of what lies within one deviation (positions: 39 % is right, for both axes together); `identity`:
 * share of the coefficients' variance that is explained.
 */
export async function denseErrors(
  network: Pick<DenseNetwork, 'apply'>,
  batches: readonly DenseBatch[],
): Promise<Record<string, number>> {
  const sums: Record<string, [sum: number, count: number]> = {}
  const add = (name: string, value: number) => {
    const entry = (sums[name] ??= [0, 0])
    entry[0] += value
    entry[1]++
  }
  let [explained, total] = [0, 0]
  for (const [images, positions, depths, visibility, identity] of batches) {
    const found = network.apply(images)
    const read = (tensor: tf.Tensor) => tensor.data()
    const [p, s, z, t, c] = await Promise.all(
      [found.positions, found.logDeviations, found.depths, found.logDepthDeviations, found.identity].map(
        read,
      ),
    )
    const [tp, tz, tv, tc] = await Promise.all([positions, depths, visibility, identity].map(read))
    tf.dispose(found)
    const [count, all] = positions.shape
    const points = depths.shape[1]
    for (let b = 0; b < count; b++) {
      const offset = (k: number) => {
        const at = 2 * (b * all + k)
        return [p[at] - tp[at], p[at + 1] - tp[at + 1]] as const
      }
      for (let k = 0; k < all; k++) {
        const at = 2 * (b * all + k)
        if (!(tp[at] > 0 && tp[at] < 1 && tp[at + 1] > 0 && tp[at + 1] < 1)) continue
        const [dx, dy] = offset(k)
        const distance = Math.hypot(dx, dy)
        if (k >= points) {
          add('outline', 100 * distance)
          continue
        }
        const seen = tv[b * points + k] > 0.5
        add(seen ? 'seen' : 'hidden', 100 * distance)
        if (k < IBUG && seen) add('ibug', 100 * distance)
        const deviation = Math.exp(s[b * all + k])
        for (const d of [dx, dy]) add('within', Math.abs(d) < deviation ? 100 : 0)
        const dz = Math.abs(z[b * points + k] - tz[b * points + k])
        add('depth', 100 * dz)
        add('withinDepth', dz < Math.exp(t[b * points + k]) ? 100 : 0)
      }
      for (const [upper, lower] of OPENINGS) {
        if (!(tv[b * points + upper] > 0.5 && tv[b * points + lower] > 0.5)) continue
        const [a, o] = [offset(upper), offset(lower)]
        add('openings', 100 * Math.hypot(a[0] - o[0], a[1] - o[1]))
      }
    }
    for (let i = 0; i < tc.length; i++) {
      explained += (c[i] - tc[i]) ** 2
      total += tc[i] ** 2
    }
  }
  const means = Object.fromEntries(Object.entries(sums).map(([name, [sum, n]]) => [name, sum / n]))
  return total > 0 ? { ...means, identity: 100 * (1 - explained / total) } : means
}
