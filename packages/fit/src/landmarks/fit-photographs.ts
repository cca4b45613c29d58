import { applyTransform, type DenseLandmarks, type FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import type { Camera } from '@facekit/render'
import { fitDenseLandmarks } from './fit-dense-landmarks.js'
import { fitLandmarks } from './fit-landmarks.js'
import { fitPerson } from './fit-person.js'
import { jointPosterior, type JointPosterior } from './joint-posterior.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import type { IdentityPrior } from './shape-prior.js'

/** Standard deviation of an identity coefficient around what a regressor says. */
const PRIOR_DEVIATION = 0.7

/** What is known before the landmarks are looked at. */
export interface Beforehand {
  /** `[Ki]` identity that a regressor has found. */
  expected?: Float64Array
  /** See `FitLandmarksOptions`. */
  focalDeviation?: number
}

/** Pose and shape of one person in several photographs, from landmarks: dense ones where both the annotations and the model have them. */
export function fitPhotographs(
  annotations: readonly FaceAnnotation[],
  model: MorphableModel,
  camera: Camera,
  { expected, focalDeviation = 0 }: Beforehand = {},
): { fits: LandmarkFit[]; posterior: JointPosterior } {
  const { identity } = model.layout
  const prior: IdentityPrior | undefined = expected && {
    mean: expected,
    deviations: new Float64Array(identity).fill(PRIOR_DEVIATION),
  }
  const options = { camera, focalDeviation }
  const alone = annotations.map((annotation) => fitCrop(annotation, model, options, prior))
  const before = {
    mean: expected ?? new Float64Array(identity),
    precision: new Float64Array(identity).fill(expected ? PRIOR_DEVIATION ** -2 : 1),
  }
  if (annotations.length === 1) return { fits: alone, posterior: jointPosterior(alone, model.layout, before) }
  return fitPerson(
    (b, agreed) => fitCrop(annotations[b], model, options, agreed),
    alone,
    model.layout,
    before,
  )
}

function fitCrop(
  { alignment, denseLandmarks: dense }: FaceAnnotation,
  model: MorphableModel,
  given: Pick<FitLandmarksOptions, 'camera' | 'focalDeviation'>,
  identity?: IdentityPrior,
): LandmarkFit {
  const { size, transform, landmarks } = alignment
  const options = { ...given, width: size, height: size, ...(identity && { identity }) }
  if (!dense || !model.denseLandmarks) return fitLandmarks(landmarks, model, options)
  const scaled = (values: Float32Array) => values.map((value) => value * transform.scale)
  const inCrop: DenseLandmarks = {
    ...dense,
    positions: applyTransform(transform, dense.positions),
    deviations: scaled(dense.deviations),
    depths: scaled(dense.depths),
    depthDeviations: scaled(dense.depthDeviations),
  }
  return fitDenseLandmarks(inCrop, model, { ...options, landmarks })
}
