import { normalizationGradientOnWasm } from '../wasm/batch-normalization.js'
import { normalizationGradientArrays } from './batch-normalization-arrays.js'

/** `normalizationGradientArrays`, in SIMD where the arrays lie in the memory of the WASM backend and nothing is summed over processes. */
export const normalizationGradients: typeof normalizationGradientArrays = (
  arrays,
  dy,
  output,
  gradients,
  options,
) => {
  const fast =
    options.reduce === undefined && normalizationGradientOnWasm(arrays, dy, output, gradients, options)
  if (!fast) normalizationGradientArrays(arrays, dy, output, gradients, options)
}
