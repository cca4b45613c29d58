import { saveLayersWeights } from '@facekit/engine'
import type { FaceRegressor } from './face-regressor.js'
import { describeRegressor } from './regressor-metadata.js'

/** Options of `saveRegressor`. */
export interface SaveRegressorOptions {
  /** Numbers in the file: half precision halves it, and changes predictions by less than a thousandth; `'int8'` makes a quarter of it, with a scale for each output
   * channel. Default `'float32'`. */
  precision?: 'int8' | 'float16' | 'float32'
  /** Text that is stored beside: how it was trained, its licence. */
  metadata?: Record<string, string>
}

/** Writes a regressor as one safetensors file: weights, moving averages, layout, input size, names of backbone and face model.
 *
 * `regressor.model.save(...)` writes the network alone as tfjs' `model.json`, which `loadRegressor` reads, too.
 *
 * @returns the file's bytes; the same regressor gives the same bytes
 * @example
 * await writeFileAtomic('face.safetensors', await saveRegressor(regressor, { precision: 'float16' }))
 */
export async function saveRegressor(
  regressor: FaceRegressor,
  { precision, metadata = {} }: SaveRegressorOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return saveLayersWeights(regressor.model, {
    ...(precision && { precision }),
    metadata: { ...metadata, ...describeRegressor(regressor) },
  })
}
