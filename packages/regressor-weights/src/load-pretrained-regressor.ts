import type { ParameterLayout } from '@facekit/parameters'
import { foldRegressor, loadRegressor, type FaceRegressor } from '@facekit/regressor'

/** Options of `loadPretrainedRegressor`. */
export interface LoadPretrainedOptions {
  /** The face model that it shall give coefficients of: one with another name or other counts is refused. */
  for?: { name?: string; layout: ParameterLayout }
  /** Keep batch normalisations apart, to go on training. Default false: they are folded into the convolutions, which is faster. */
  trainable?: boolean
  /** Where the file `weights/regressor.safetensors` is, or its bytes. Default: beside this package's code, which Node and the bundlers that
   * understand `new URL(..., import.meta.url)` (e.g. Vite) find by themselves. */
  source?: string | URL | Uint8Array
}

/** Name of the face model that the trained regressor gives coefficients of: the base model's variant `learned`. */
export const pretrainedFaceModel = 'facekit-learned'

/** Loads the trained regressor, which is for the base model's variant `learned`.
 *
 * @memory the regressor's variables, until `dispose`
 * @throws {ModelFormatError} when the file cannot be read, or is not for the face model
 * @example
 * const model = await loadBaseModel({ variant: 'learned' })
 * const regressor = await loadPretrainedRegressor({ for: model })
 * const [face] = await annotate(picture)
 * const { image, size } = face.alignment
 * const parameters = regressor.predict(tf.tensor3d(image.data, [size, size, 3]))
 */
export async function loadPretrainedRegressor(options: LoadPretrainedOptions = {}): Promise<FaceRegressor> {
  const source = options.source ?? new URL('../weights/regressor.safetensors', import.meta.url)
  const regressor = await loadRegressor(source, options.for ? { for: options.for } : {})
  if (options.trainable) return regressor
  const folded = foldRegressor(regressor)
  regressor.dispose()
  return folded
}
