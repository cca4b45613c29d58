import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceRegressor } from '@facekit/regressor'
import { BASE_MODEL, shippedModelNamed } from './load-model.js'

/** Trained regressors that `--regressor` takes by name. */
export const REGRESSORS = ['mobile', 'resnet50', 'resnet50-rendered'] as const

/** The one that is taken where none is named: the large one, which tells faces much better apart, where its package is installed and the face model is its own; else the small one.
 *
 * @param model - name or file of the face model that was asked for
 */
export async function defaultRegressor(model: string): Promise<(typeof REGRESSORS)[number]> {
  const { resnet50FaceModel } = (await installedResNet50()) ?? {}
  const own = resnet50FaceModel && [BASE_MODEL, shippedModelNamed(resnet50FaceModel)]
  return own?.includes(model) ? 'resnet50' : 'mobile'
}

/** Opens a trained regressor by its name, or one's own from a file, folded for inference.
 *
 * @throws {ValueError} when the package of that name is not installed
 * @throws {ModelFormatError} when the regressor is for another face model
 */
export async function openRegressor(nameOrFile: string, model: MorphableModel): Promise<FaceRegressor> {
  if (nameOrFile === 'mobile') {
    const { loadPretrainedRegressor } = await import('@facekit/regressor-weights')
    return loadPretrainedRegressor({ for: model })
  }
  if (isResNet50(nameOrFile)) {
    const { loadResNet50Regressor } = await resNet50Package()
    const learnedFrom = nameOrFile === 'resnet50' ? 'photographs' : 'rendered'
    return loadResNet50Regressor({ for: model, learnedFrom })
  }
  const { foldRegressor, loadRegressor } = await import('@facekit/regressor')
  const regressor = await loadRegressor(nameOrFile, { for: model })
  const folded = foldRegressor(regressor)
  regressor.dispose()
  return folded
}

/** Name of the face model that a regressor is for, as files give it; `undefined` where it can't be told. */
export async function faceModelOf(nameOrFile: string): Promise<string | undefined> {
  if (nameOrFile === 'mobile') return (await import('@facekit/regressor-weights')).pretrainedFaceModel
  if (isResNet50(nameOrFile)) return (await resNet50Package()).resnet50FaceModel
  const [{ readSafetensors }, { readFile }] = await Promise.all([
    import('@facekit/core'),
    import('node:fs/promises'),
  ])
  try {
    return readSafetensors(await readFile(nameOrFile), nameOrFile).metadata.faceModel
  } catch {
    // Whoever opens the regressor says what is wrong with it.
    return undefined
  }
}

const isResNet50 = (name: string): boolean => name === 'resnet50' || name === 'resnet50-rendered'

// A package of its own: 49 MB that only those load who ask for it.
async function installedResNet50() {
  try {
    return await import('@facekit/regressor-weights-resnet50')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    return undefined
  }
}

async function resNet50Package() {
  const installed = await installedResNet50()
  if (installed) return installed
  throw new ValueError(
    '--regressor resnet50 needs the package @facekit/regressor-weights-resnet50: npm install @facekit/regressor-weights-resnet50',
  )
}
