import { ValueError } from '@facekit/core'
import type { MorphableModel, ReadModelOptions } from '@facekit/morphable'

/** Name of the model that comes with facekit. */
export const BASE_MODEL = 'base'

/** Loads a face model by name, or from a file or folder of any format that `readMorphableModel` knows.
 *
 * What a foreign model lacks, landmarks or albedo, it gets from the base model.
 *
 * @throws {ValueError} when there is no model or file of that name
 * @throws {ModelFormatError} when the file is damaged or is not a face model
 */
export async function loadModel(
  nameOrFile: string,
  options: Omit<ReadModelOptions, 'template'> = {},
): Promise<MorphableModel> {
  const { loadBaseModel } = await import('@facekit/base-model')
  if (nameOrFile === BASE_MODEL) return loadBaseModel()
  await checkThere(nameOrFile)
  const { detectModelFormat, loadMorphableModel, readMorphableModel } = await import('@facekit/morphable')
  if ((await detectModelFormat(nameOrFile)) === 'facekit') return loadMorphableModel(nameOrFile)
  return readMorphableModel(nameOrFile, { ...options, template: await loadBaseModel() })
}

/** @throws {ValueError} when there is neither a file nor a folder of that name */
export async function checkThere(nameOrFile: string): Promise<void> {
  const { stat } = await import('node:fs/promises')
  const found = await stat(nameOrFile).catch(() => undefined)
  if (found?.isFile() || found?.isDirectory()) return
  throw new ValueError(
    `--model: "${nameOrFile}" is neither a model nor a file, expected "${BASE_MODEL}", a .safetensors, .h5, .npz or .json file, or the folder of ICT-FaceKit`,
  )
}
