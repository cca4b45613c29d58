import type { FaceAnnotation, Picture } from '@facekit/annotate'
import { AnnotationError } from '@facekit/core'
import type { CaseTruth, EvaluationCase, Prediction } from '@facekit/evaluation'
import type { PictureArray } from '@facekit/export'
import type { FitResult } from '@facekit/fit'
import { disposeParameters, type FaceParameters, neutralParameters } from '@facekit/parameters'
import { join } from 'node:path'
import { errorLine } from '../error-line.js'
import { PhaseTimer } from '../phase-timer.js'
import type { Session } from '../session.js'
import type { EvaluateSettings, OwnMethod } from './evaluate-settings.js'

/** What a method of ours makes of a face. */
export interface Reconstruction {
  prediction: Prediction
  /** What went wrong with single pictures, a line each. */
  problems: string[]
  /** Input, diffuse, specular and lit of the first picture, where they were asked for. */
  panels?: PictureArray[]
}

/** Pictures of a case, read and labelled once for all methods. */
export interface LabelledCase {
  labelled: {
    path: string
    picture: Picture
    annotation: FaceAnnotation
    /** Whether it is the picture that the truth's landmarks are of. */
    isFirst: boolean
  }[]
  problems: string[]
}

const none: LabelledCase = { labelled: [], problems: [] }

/** Whether a method looks at the pictures for what the protocol scores. */
export const needsPictures = (method: OwnMethod, truth: CaseTruth): boolean =>
  method !== 'mean face' || !(truth.scan ?? truth.realy)

/** Reads and labels the pictures of a case; what cannot be read or has no face is a problem, not an error. Of several faces it is the one that the
 * truth's landmarks are of, which are those of the first picture, or else the largest. */
export async function labelCase(
  { pictures }: EvaluationCase,
  truth: CaseTruth,
  root: string,
): Promise<LabelledCase> {
  const { annotate, readPicture } = await import('@facekit/annotate')
  const result: LabelledCase = { labelled: [], problems: [] }
  for (const [i, path] of pictures.entries()) {
    const known = i === 0 ? truth.pictureLandmarks : undefined
    try {
      const picture = await readPicture(join(root, path))
      const faces = await annotate(picture)
      if (faces.length === 0) throw new AnnotationError(`${path}: no face found`)
      const annotation = chooseFace(faces, known)
      if (faces.length > 1 && !known)
        result.problems.push(`${path}: shows ${faces.length} faces, the largest is taken`)
      result.labelled.push({ path, picture, annotation, isFirst: i === 0 })
    } catch (error) {
      result.problems.push(errorLine(error, path))
    }
  }
  return result
}

function chooseFace(faces: readonly FaceAnnotation[], truth: Float64Array | undefined): FaceAnnotation {
  if (!truth) return faces[0]
  const distance = ({ landmarks }: FaceAnnotation) =>
    Array.from(truth).reduce((sum, value, i) => sum + Math.abs(landmarks.get(i >> 1, i & 1) - value), 0)
  return faces.reduce((best, face) => (distance(face) < distance(best) ? face : best))
}

/** Reconstructs a face by a method of ours from all of its pictures: shapes without pose are averaged, landmarks are those of the first picture, colour errors
 * are averaged.
 *
 * @throws {AnnotationError} when no picture shows a face
 */
export async function reconstructCase(
  method: OwnMethod,
  truth: CaseTruth,
  { labelled, problems: seen }: LabelledCase,
  session: Session,
  settings: Pick<EvaluateSettings, 'iterations'>,
  signal: AbortSignal,
  withPanels = false,
): Promise<Reconstruction> {
  const { model } = session
  const problems = [...seen]
  const average = Float64Array.from(model.shape.mean.data)
  if (labelled.length === 0 && !needsPictures(method, truth))
    return { prediction: predictionOf(session, average), problems: [] }
  if (labelled.length === 0)
    throw new AnnotationError(seen.length > 0 ? seen.join('; ') : 'there is no picture')
  const shapes: Float32Array[] = []
  const colors: number[] = []
  let pictureLandmarks: Float32Array | undefined
  let panels: PictureArray[] | undefined
  for (const { path, picture, annotation, isFirst } of labelled) {
    signal.throwIfAborted()
    try {
      const result = await find(method, picture, annotation, session, settings, signal)
      try {
        shapes.push(await shapeOf(session, result.parameters))
        // Landmarks say nothing about colours.
        if (method !== 'landmarks') colors.push(result.metrics.colorError)
        if (isFirst) pictureLandmarks = Float32Array.from(result.landmarks[0].data)
        if (withPanels) panels ??= await panelsOf(session, result, annotation)
      } finally {
        disposeParameters(result.parameters)
      }
    } catch (error) {
      signal.throwIfAborted()
      problems.push(errorLine(error, path))
    }
  }
  if (shapes.length === 0) throw new AnnotationError(problems.join('; '))
  const mean = new Float64Array(shapes[0].length)
  for (const shape of shapes) shape.forEach((value, i) => (mean[i] += value / shapes.length))
  return {
    prediction: {
      ...predictionOf(session, method === 'mean face' ? average : mean),
      ...(pictureLandmarks && { pictureLandmarks }),
      ...(colors.length > 0 && { color: colors.reduce((sum, color) => sum + color / colors.length, 0) }),
    },
    problems,
    ...(panels && { panels }),
  }
}

/** Nothing was labelled. */
export const unlabelled = none

function predictionOf({ model }: Session, positions: Float64Array): Prediction {
  const which = Array.from({ length: 68 }, (_, i) => i)
  const landmarks = which.flatMap((i) => [0, 1, 2].map((c) => positions[model.landmarks[i] * 3 + c]))
  return {
    surface: { positions, triangles: model.triangles },
    landmarks: { which, positions: Float64Array.from(landmarks) },
  }
}

async function find(
  method: OwnMethod,
  picture: Picture,
  annotation: FaceAnnotation,
  session: Session,
  { iterations }: Pick<EvaluateSettings, 'iterations'>,
  signal: AbortSignal,
): Promise<FitResult> {
  if (method === 'landmarks' || method === 'mean face') {
    const start = await landmarkStart(method, annotation, session)
    const { fitFace } = await import('@facekit/fit')
    return fitFace(picture, annotation, session.model, { start, iterations: 0, signal }).finally(() =>
      disposeParameters(start),
    )
  }
  const { findFace } = await import('../reconstruct/reconstruct-face.js')
  const quiet = { start() {}, update() {}, stop() {} }
  const steps = method === 'regress' ? undefined : iterations
  const search = { picture, annotation, method, iterations: steps }
  return findFace(search, session, new PhaseTimer(), quiet, signal)
}

/** Pose, and for `landmarks` shape, from the 68 landmarks that were found; neutral albedo and light. */
async function landmarkStart(
  method: 'landmarks' | 'mean face',
  { alignment }: FaceAnnotation,
  { model }: Session,
): Promise<FaceParameters> {
  const { fitLandmarks } = await import('@facekit/fit')
  const { tensor2d } = await import('@tensorflow/tfjs-core')
  const { size, landmarks } = alignment
  // So near to the mean that nothing but the pose is found.
  const held = method === 'mean face' ? { identityDeviation: 1e-4, expressionDeviation: 1e-4 } : {}
  const found = fitLandmarks(landmarks as Parameters<typeof fitLandmarks>[0], model, {
    width: size,
    height: size,
    ...held,
  })
  const neutral = neutralParameters(model.layout)
  const row = (values: ArrayLike<number>) => tensor2d([Array.from(values)])
  const own = method === 'landmarks'
  const result: FaceParameters = {
    ...neutral,
    identity: own ? row(found.identity) : neutral.identity.clone(),
    expression: own ? row(found.expression) : neutral.expression.clone(),
    pose: { rotation: row(found.rotation), translation: row(found.translation), scale: row([found.scale]) },
  }
  neutral.identity.dispose()
  neutral.expression.dispose()
  for (const tensor of Object.values(neutral.pose)) tensor.dispose()
  return result
}

async function shapeOf({ model }: Session, { identity, expression }: FaceParameters): Promise<Float32Array> {
  const { evaluateShape } = await import('@facekit/morphable')
  const shape = evaluateShape(model, { identity, expression })
  const data = Float32Array.from(await shape.data())
  shape.dispose()
  return data
}

async function panelsOf(
  { model }: Session,
  { parameters, camera }: FitResult,
  { alignment }: FaceAnnotation,
): Promise<PictureArray[]> {
  const [{ renderFace }, tf, { default: ndarray }] = await Promise.all([
    import('@facekit/render'),
    import('@tensorflow/tfjs-core'),
    import('ndarray'),
  ])
  const { size } = alignment
  const pictures = tf.tidy(() => {
    const { diffuse, specular, image } = renderFace(model, parameters, { width: size, height: size, camera })
    return [diffuse, specular, image]
  })
  const arrays = await Promise.all(
    pictures.map(async (picture) => ndarray(Float32Array.from(await picture.data()), [size, size, 3])),
  )
  tf.dispose(pictures)
  return [alignment.image, ...arrays]
}
