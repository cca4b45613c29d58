import type { ParameterLayout } from '@facekit/parameters'
import { foldRegressor, loadRegressor, type FaceRegressor } from '@facekit/regressor'

/** Options of `loadResNet50Regressor`. */
export interface LoadResNet50Options {
  /** The face model that it shall give coefficients of: one with another name or other counts is refused. */
  for?: { name?: string; layout: ParameterLayout }
  /** Keep batch normalisations apart, to go on training. Default false: they are folded into the convolutions, which is faster. */
  trainable?: boolean
  /** Where the file `weights/resnet50.safetensors` is, or its bytes. Default: beside this package's code, which Node and the bundlers that
   * understand `new URL(..., import.meta.url)` (e.g. Vite) find by themselves. */
  source?: string | URL | Uint8Array
}

/** Name of the face model that the network gives coefficients of: the base model. */
export const resnet50FaceModel = 'facekit-scans'

/** Loads the ResNet-50 that was trained on rendered faces, for the base model. Its weights are stored in 8 bits for each output channel.
 *
 * @memory the regressor's variables (94 MB as float32), until `dispose`
 * @throws {ModelFormatError} when the file cannot be read, or is not for the face model
 * @example
 * const model = await loadBaseModel()
 * const regressor = await loadResNet50Regressor({ for: model })
 * const [face] = await annotate(picture)
 * const { image, size } = face.alignment
 * const parameters = regressor.predict(tf.tensor3d(image.data, [size, size, 3]))
 */
export async function loadResNet50Regressor(options: LoadResNet50Options = {}): Promise<FaceRegressor> {
  const source = options.source ?? new URL('../weights/resnet50.safetensors', import.meta.url)
  const regressor = await loadRegressor(source, options.for ? { for: options.for } : {})
  if (options.trainable) return regressor
  const folded = foldRegressor(regressor)
  regressor.dispose()
  return folded
}
