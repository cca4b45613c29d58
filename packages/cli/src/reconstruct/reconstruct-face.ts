import type { HeadExtent } from '../export/head-extent.js'
import { join } from 'node:path'
import type { FaceAnnotation, Picture } from '@facekit/annotate'
import { writeFileAtomic } from '@facekit/core'
import { type FaceParameters, disposeParameters, encodeParameters, readParameters } from '@facekit/parameters'
import type { FitFaceOptions, FitResult } from '@facekit/fit'
import { parametersFile, type FocalSource, type ParametersFile } from './parameters-file.js'
import type { PhaseTimer } from '../phase-timer.js'
import type { Progress } from '../progress.js'
import type { Method, Session } from '../session.js'
import { writeFaceFiles } from './write-face-files.js'

/** One face of one picture. */
export interface FaceJob {
  /** Path of the picture as it was given. */
  file: string
  picture: Picture
  annotation: FaceAnnotation
  /** Number of the face in the picture, from 1. */
  face: number
  /** Folder that the files go into; it exists. */
  folder: string
  method: Method
  /** Steps of gradient descent; the method's default if undefined. */
  iterations: number | undefined
  /** Pixels of the picture; absent: unknown. */
  focalLength?: number | 'estimate'
  focalSource: FocalSource
  /** What the maps show, and their width and height. */
  maps: { texture: number } | { size: number }
  /** What the meshes show. */
  head?: HeadExtent
}

/** Fits one face and writes its files. */
export async function reconstructFace(
  job: FaceJob,
  session: Session,
  timer: PhaseTimer,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ parameters: ParametersFile; files: string[] }> {
  const { annotation } = job
  const { model, engine } = session
  const result = await findFace(job, session, timer, progress, signal)
  try {
    signal.throwIfAborted()
    const [face] = await readParameters(result.parameters)
    const parameters = parametersFile(
      {
        picture: { file: job.file, width: job.picture.shape[1], height: job.picture.shape[0] },
        face: job.face,
        annotation,
        backend: engine.backend,
        method: job.method,
        focalSource: job.focalSource,
      },
      model,
      result,
      encodeParameters(face, model.shape.expressionNames),
    )
    const files = await writeFaceFiles({ ...job, model, result, parameters }, timer, signal)
    await writeFileAtomic(join(job.folder, 'parameters.json'), `${JSON.stringify(parameters, null, 1)}\n`)
    return { parameters, files: [...files, 'parameters.json'].sort() }
  } finally {
    disposeParameters(result.parameters)
  }
}

/** Half as many steps as a fit, but larger ones. */
const REFINEMENT = { iterations: 40, rate: 2 }

/** What it takes to find the parameters of a face. */
export type FaceSearch = Pick<FaceJob, 'picture' | 'annotation' | 'method' | 'iterations' | 'focalLength'>

/** Finds the parameters of a face by the method; the caller disposes them. */
export async function findFace(
  job: FaceSearch,
  session: Session,
  timer: PhaseTimer,
  progress: Progress,
  signal: AbortSignal,
): Promise<FitResult> {
  const { method } = job
  if (method === 'fit') return timer.measure('fit', () => fit(job, session, progress, signal))
  const start = await timer.measure('regress', () => regress(job, session))
  try {
    // Without steps it is measured, but not changed.
    if (method === 'regress')
      return await timer.measure('regress', () =>
        fit(job, session, progress, signal, { start, iterations: 0 }),
      )
    const { iterations = REFINEMENT.iterations } = job
    const priorShare = session.regressor?.identityShare
    const options = {
      prior: start,
      rate: REFINEMENT.rate,
      iterations,
      ...(priorShare !== undefined && { priorShare }),
    }
    return await timer.measure('fit', () => fit(job, session, progress, signal, options))
  } finally {
    disposeParameters(start)
  }
}

async function regress({ annotation }: FaceSearch, { regressor }: Session): Promise<FaceParameters> {
  const { tensor3d } = await import('@tensorflow/tfjs-core')
  const { image, size } = annotation.alignment
  const crop = tensor3d(image.data as Float32Array, [size, size, 3])
  const parameters = regressor!.predict(crop)
  crop.dispose()
  return parameters
}

async function fit(
  job: FaceSearch,
  session: Session,
  progress: Progress,
  signal: AbortSignal,
  options: Pick<FitFaceOptions, 'start' | 'prior' | 'priorShare' | 'rate' | 'iterations'> = {},
): Promise<FitResult> {
  const { fitFace } = await import('@facekit/fit')
  const { iterations = job.iterations } = options
  return fitFace(job.picture, job.annotation, session.model, {
    ...options,
    ...(job.focalLength !== undefined && !options.start && { focalLength: job.focalLength }),
    ...(iterations !== undefined && { iterations }),
    signal,
    onProgress: ({ stage, iteration, iterations }) => {
      if (stage === 'appearance') progress.update(iteration, iterations)
    },
  })
}
