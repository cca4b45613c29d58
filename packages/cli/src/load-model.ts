import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'

/** Name of the model that comes with facekit. */
export const BASE_MODEL = 'base'

/** Loads a face model by name, or from a .safetensors file.
 *
 * @throws {ValueError} when there is no model or file of that name
 * @throws {ModelFormatError} when the file is damaged or is not a face model
 */
export async function loadModel(nameOrFile: string): Promise<MorphableModel> {
  if (nameOrFile === BASE_MODEL) {
    const { loadBaseModel } = await import('@facekit/base-model')
    return loadBaseModel()
  }
  const { stat } = await import('node:fs/promises')
  const found = await stat(nameOrFile).catch(() => undefined)
  if (!found?.isFile()) {
    const why = found ? 'is not a file' : 'is neither a model nor a file'
    throw new ValueError(`--model: "${nameOrFile}" ${why}, expected "${BASE_MODEL}" or a .safetensors file`)
  }
  const { loadMorphableModel } = await import('@facekit/morphable')
  return loadMorphableModel(nameOrFile)
}
