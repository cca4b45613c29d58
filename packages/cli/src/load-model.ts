import { ValueError } from '@facekit/core'
import type { MorphableModel, ReadModelOptions } from '@facekit/morphable'

/** Names of the models that come with facekit: the default, and the one that no photograph went into. */
export const BASE_MODEL = 'base'
const SYNTHETIC_MODEL = 'base-synthetic'
export const SHIPPED_MODELS: ReadonlySet<string> = new Set([BASE_MODEL, SYNTHETIC_MODEL])

/** The shipped model that calls itself so, as files name it; the default for any other name. */
export const shippedModelNamed = (name: string | undefined): string =>
  name === 'facekit-base' ? SYNTHETIC_MODEL : BASE_MODEL

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
  if (nameOrFile === SYNTHETIC_MODEL) return loadBaseModel({ variant: 'synthetic' })
  await checkThere(nameOrFile)
  const { detectModelFormat, readMorphableModel } = await import('@facekit/morphable')
  const isComplete = (await detectModelFormat(nameOrFile)) === 'facekit'
  return readMorphableModel(nameOrFile, {
    ...options,
    ...(!isComplete && { template: await loadBaseModel() }),
  })
}

/** @throws {ValueError} when there is neither a file nor a folder of that name */
export async function checkThere(nameOrFile: string): Promise<void> {
  const { stat } = await import('node:fs/promises')
  const found = await stat(nameOrFile).catch(() => undefined)
  if (found?.isFile() || found?.isDirectory()) return
  throw new ValueError(
    `--model: "${nameOrFile}" is neither a model nor a file, expected "${BASE_MODEL}", "${SYNTHETIC_MODEL}", a .safetensors, .h5, .mat, .npz or .json file, or the folder of ICT-FaceKit`,
  )
}
