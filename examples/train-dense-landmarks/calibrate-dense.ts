import type { DenseCalibration, DenseNetwork } from '@facekit/annotate'
import type { DenseBatch } from '@facekit/annotate-training'
import * as tf from '@tensorflow/tfjs-core'

/** Share of a normal distribution within one deviation. */
const WITHIN_ONE = 0.6827

/** By what a network's deviations have to be multiplied so that 68 % of the differences along each axis lie within one. */
export async function calibrateDense(
  network: Pick<DenseNetwork, 'apply'>,
  batches: readonly DenseBatch[],
): Promise<DenseCalibration> {
  const ratios: Record<keyof DenseCalibration, number[]> = {
    positions: [],
    outline: [],
    depths: [],
    identity: [],
  }
  for (const [images, positions, depths, , identity] of batches) {
    const found = network.apply(images)
    const relative = tf.tidy(() => {
      const compare = (a: tf.Tensor, b: tf.Tensor, logDeviations: tf.Tensor) =>
        tf.div(tf.abs(tf.sub(a, b)), tf.exp(logDeviations))
      return [
        compare(found.positions, positions, tf.expandDims(found.logDeviations, 2)),
        compare(found.depths, depths, found.logDepthDeviations),
        compare(found.identity, identity, found.logIdentityDeviations),
      ]
    })
    const [places, deep, who, true_] = await Promise.all([...relative, positions].map((x) => x.data()))
    tf.dispose([found, relative])
    const [, all] = positions.shape
    const points = depths.shape[1]
    for (let i = 0; i < places.length; i++) {
      const at = i - (i & 1)
      if (![true_[at], true_[at + 1]].every((value) => value > 0 && value < 1)) continue
      ratios[(i >> 1) % all < points ? 'positions' : 'outline'].push(places[i])
    }
    for (const value of deep) ratios.depths.push(value)
    for (const value of who) ratios.identity.push(value)
  }
  return Object.fromEntries(
    Object.entries(ratios).map(([name, values]) => [name, quantile(values, WITHIN_ONE)]),
  ) as unknown as DenseCalibration
}

function quantile(values: number[], share: number): number {
  if (values.length === 0) return 1
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(share * (sorted.length - 1))]
}
