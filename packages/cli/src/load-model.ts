import { ValueError } from '@facekit/core'
import type { MorphableModel, ReadModelOptions } from '@facekit/morphable'

/** Name of the default among the models that come with facekit. */
export const BASE_MODEL = 'base'
/** The others by variant, with what they call themselves in files. */
const VARIANTS = { scans: 'facekit-scans', learned: 'facekit-learned', synthetic: 'facekit-base' } as const
const isVariant = (name: string): name is keyof typeof VARIANTS => Object.hasOwn(VARIANTS, name)
export const SHIPPED_MODELS: ReadonlySet<string> = new Set([BASE_MODEL, ...Object.keys(VARIANTS)])

/** The shipped model that calls itself so, as files name it; the default for any other name. */
export const shippedModelNamed = (name: string | undefined): string =>
  Object.keys(VARIANTS)
    .filter(isVariant)
    .find((variant) => VARIANTS[variant] === name) ?? BASE_MODEL

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
  if (isVariant(nameOrFile)) return loadBaseModel({ variant: nameOrFile })
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
    `--model: "${nameOrFile}" is neither a model nor a file, expected ${[...SHIPPED_MODELS].map((name) => `"${name}"`).join(', ')}, a .safetensors, .h5, .mat, .npz, .pkl or .json file, the folder of ICT-FaceKit, or one of meshes`,
  )
}
