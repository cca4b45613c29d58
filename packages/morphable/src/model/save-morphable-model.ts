import { writeFileAtomic } from '@facekit/core'
import { encodeMorphableModel, type EncodeModelOptions } from './encode-morphable-model.js'
import type { MorphableModel } from './morphable-model.js'

/** Saves a face model as one .safetensors file: whole or not at all. Node only; elsewhere, see `encodeMorphableModel`.
 *
 * @throws {ModelFormatError} when the model is not whole
 * @throws {ValueError} for an unknown precision
 */
export async function saveMorphableModel(
  model: MorphableModel,
  path: string,
  options: EncodeModelOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodeMorphableModel(model, options))
}
