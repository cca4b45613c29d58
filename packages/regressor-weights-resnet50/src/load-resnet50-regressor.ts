import { showValue, ValueError } from '@facekit/core'
import type { ParameterLayout } from '@facekit/parameters'
import { foldRegressor, loadRegressor, type FaceRegressor } from '@facekit/regressor'

/** Options of `loadResNet50Regressor`. */
export interface LoadResNet50Options {
  /** The face model that it shall give coefficients of: one with another name or other counts is refused. */
  for?: { name?: string; layout: ParameterLayout }
  /** Keep batch normalisations apart, to go on training. Default false: they are folded into the convolutions, which is faster. */
  trainable?: boolean
  /** What it has learned from: rendered faces alone (`resnet50.safetensors`), or photographs as well, which were published for research
   * (`resnet50-photographs.safetensors`); see the model card. Default `'photographs'`. */
  learnedFrom?: 'rendered' | 'photographs'
  /** Where that file is, or its bytes. Default: beside this package's code, in `weights`, which Node and the bundlers that understand
   * `new URL(..., import.meta.url)` (e.g. Vite) find by themselves. */
  source?: string | URL | Uint8Array
}

/** Literal addresses, as bundlers want them. */
const FILES = {
  rendered: () => new URL('../weights/resnet50.safetensors', import.meta.url),
  photographs: () => new URL('../weights/resnet50-photographs.safetensors', import.meta.url),
}

/** Name of the face model that the network gives coefficients of: the base model. */
export const resnet50FaceModel = 'facekit-scans'

/** Loads a ResNet-50 for the base model: one that was trained on rendered faces and photographs, or on rendered faces alone. Its weights are stored in 8 bits for each output channel.
 *
 * @memory the regressor's variables (94 MB as float32), until `dispose`
 * @throws {ValueError} when `learnedFrom` is neither of both
 * @throws {ModelFormatError} when the file cannot be read, or is not for the face model
 * @example
 * const model = await loadBaseModel()
 * const regressor = await loadResNet50Regressor({ for: model })
 * const [face] = await annotate(picture)
 * const { image, size } = face.alignment
 * const parameters = regressor.predict(tf.tensor3d(image.data, [size, size, 3]))
 */
export async function loadResNet50Regressor(options: LoadResNet50Options = {}): Promise<FaceRegressor> {
  const { learnedFrom = 'photographs' } = options
  if (!Object.hasOwn(FILES, learnedFrom))
    throw new ValueError(
      `loadResNet50Regressor: learnedFrom is ${showValue(learnedFrom)}, expected "rendered" or "photographs"`,
    )
  const source = options.source ?? FILES[learnedFrom]()
  const regressor = await loadRegressor(source, options.for ? { for: options.for } : {})
  if (options.trainable) return regressor
  const folded = foldRegressor(regressor)
  regressor.dispose()
  return folded
}
