import { add, div, mul, sqrt, sub, tidy, type Tensor } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { layersWeights } from '@facekit/engine'
import { createUnetPlusPlus, type UnetPlusPlusOptions } from './unet-plus-plus.js'

/** Epsilon of the batch normalisations. */
const EPSILON = 1e-3

/** A copy of a U-Net++ for inference: each batch normalisation becomes part of the convolution before it, so that convolution, bias and
 * relu are one kernel; and nodes that outputs up to `depth` do not need are left out.
 *
 *     kernel' = kernel gamma / sqrt(variance + epsilon)        bias = beta - mean gamma / sqrt(variance + epsilon)
 *
 * @param network - of `createUnetPlusPlus`; stays as it is
 * @param options - what it was created with
 * @returns a model of its own; the caller disposes it
 */
export function foldUnetPlusPlus(
  network: LayersModel,
  options: UnetPlusPlusOptions,
  depth?: number,
): LayersModel {
  const from = new Map(layersWeights(network).map(({ name, value }) => [name, value]))
  const folded = createUnetPlusPlus({
    ...options,
    depth: depth ?? options.depth,
    form: 'folded',
    empty: true,
  })
  for (const { name, write } of layersWeights(folded)) {
    const [layer, variable] = name.split('/')
    const value = tidy(() => foldedWeight(from, layer, variable))
    write(value)
    value.dispose()
  }
  return folded
}

function foldedWeight(from: Map<string, Tensor>, layer: string, variable: string): Tensor {
  const get = (name: string) => from.get(name)!
  if (!from.has(`${layer}-norm/gamma`)) return add(get(`${layer}/${variable}`), 0)
  const statistics = (name: string) => get(`${layer}-norm/${name}`)
  const scale = div(statistics('gamma'), sqrt(add(statistics('moving_variance'), EPSILON)))
  return variable === 'kernel'
    ? mul(get(`${layer}/kernel`), scale)
    : sub(statistics('beta'), mul(statistics('moving_mean'), scale))
}
