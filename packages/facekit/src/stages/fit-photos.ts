import type { FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { fitFace, type FitFaceOptions, type FitResult } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import { disposeParameters, type FaceParameters } from '@facekit/parameters'
import type { FaceRegressor } from '@facekit/regressor'
import { tensor3d } from '@tensorflow/tfjs-core'
import type { Method } from '../options.js'
import type { SeenPhoto } from './read-photo.js'

/** Half as many steps as a fit, but larger ones, where a regressor has begun. */
const REFINEMENT = { iterations: 40, rate: 2 }

/** What a fit is asked for. */
export interface FitOrder {
  /** The same person in one photograph or several. */
  seen: readonly SeenPhoto[]
  method: Method
  iterations: number | undefined
  signal: AbortSignal | undefined
  /** 0..1 */
  onStep: (share: number) => void
}

/** Finds the parameters of a face, a row for each photograph; the caller disposes them. */
export async function fitPhotos(order: FitOrder): Promise<{ model: MorphableModel; result: FitResult }> {
  const { seen, method } = order
  if (method === 'fit') {
    const model = await loadBaseModel()
    const [known, ...others] = seen.map(({ photo }) => photo.focalLength && photo.focalLength / photo.factor)
    // One camera sees all photographs.
    const isShared = known !== undefined && others.every((focalLength) => focalLength === known)
    const options = isShared ? { focalLength: known } : {}
    return { model, result: await fit(order, model, options) }
  }
  const { model, regressor } = await loadRegressor()
  const start = predict(regressor, seen[0].annotation)
  try {
    // Without steps it is measured, but not changed.
    if (method === 'regress') return { model, result: await fit(order, model, { start, iterations: 0 }) }
    const { iterations = REFINEMENT.iterations } = order
    const { identityShare: priorShare } = regressor
    const options = {
      prior: start,
      rate: REFINEMENT.rate,
      iterations,
      ...(priorShare !== undefined && { priorShare }),
    }
    return { model, result: await fit(order, model, options) }
  } finally {
    disposeParameters(start)
  }
}

async function fit(order: FitOrder, model: MorphableModel, options: FitFaceOptions): Promise<FitResult> {
  const { seen, signal, onStep } = order
  const { iterations = order.iterations } = options
  const pictures = seen.map(({ photo }) => photo.picture)
  const annotations = seen.map(({ annotation }) => annotation)
  return fitFace(pictures, annotations, model, {
    ...options,
    ...(iterations !== undefined && { iterations }),
    signal,
    onProgress: ({ stage, iteration, iterations: total }) => {
      if (stage === 'appearance') onStep(iteration / total)
    },
  })
}

let loaded: Promise<{ model: MorphableModel; regressor: FaceRegressor }> | undefined

async function loadRegressor() {
  loaded ??= (async () => {
    const { loadPretrainedRegressor } = await import('@facekit/regressor-weights')
    const model = await loadBaseModel({ variant: 'learned' })
    return { model, regressor: await loadPretrainedRegressor({ for: model }) }
  })()
  try {
    return await loaded
  } catch (error) {
    loaded = undefined
    throw error
  }
}

function predict(regressor: FaceRegressor, { alignment: { image, size } }: FaceAnnotation): FaceParameters {
  const crop = tensor3d(image.data as Float32Array, [size, size, 3])
  try {
    return regressor.predict(crop)
  } finally {
    crop.dispose()
  }
}
