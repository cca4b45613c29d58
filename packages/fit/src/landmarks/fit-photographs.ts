import { applyTransform, type DenseLandmarks, type FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import type { Camera } from '@facekit/render'
import { fitDenseLandmarks } from './fit-dense-landmarks.js'
import { fitLandmarks } from './fit-landmarks.js'
import { fitPerson, HOLD } from './fit-person.js'
import { jointPosterior, type JointPosterior } from './joint-posterior.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import type { IdentityPrior } from './shape-prior.js'

/** Standard deviation of an identity coefficient around what a regressor says. */
const PRIOR_DEVIATION = 0.7

// Contributor notes. The network of dense landmarks learned to be right in the mean: what a picture does not show it fills in with the mean face, and each
// picture of a person errs the same way (correlation of the errors of two views of rendered heads: 0.6 across, 0.7 in depth). More photographs make that
// error surer, not smaller. Of 20 ICT heads at 0 and +-30 degrees one photograph recovers 51 % of what tells heads apart, three 53 %, and spread by 1.3
// 58 %; halves of the heads agree on the factor (flat between 1.2 and 1.5). Weights, priors and correlations of the noise other than
// these move it by 1 or 2 % (benchmarks/same-person.ts), nor does a linear regression on other heads. What takes the error back are the pixels: see SEVERAL in fit-face.ts. With independent errors of the size that the network states it would be 84 and 92 %.
/** Deviations from the mean face over what the network shows of them in several photographs. */
const SHRINKAGE = 1.3

/** What is looked at of a face. */
type LandmarksOfFace = Pick<FaceAnnotation, 'alignment' | 'denseLandmarks'>

/** What is known before the landmarks are looked at. */
export interface Beforehand {
  /** `[Ki]` identity that a regressor has found. */
  expected?: Float64Array
  /** How much of identity is taken from `expected`, and how little from the landmarks, 0..1: the two err alike, for they look at the same picture, and none
   * knows how much of what both say the other has said. Default: landmarks decide, and `expected` is where they are unsure. */
  share?: number
  /** See `FitLandmarksOptions`. */
  focalDeviation?: number
}

/** Pose and shape of one person in several photographs, from landmarks: dense ones where both the annotations and the model have them.
 *
 * One photograph is fitted as `fitDenseLandmarks` does it. Of several, one identity explains all (`FaceAnnotation`s of `annotate`, in pixels of their crops), pose and expression
 * follow it in each.
 *
 * @param annotations - of one person, at least one
 * @returns a fit for each photograph, all with the same identity, and what is known of it
 * @differentiable no
 * @throws {ValueError} when a number is not finite
 * @throws {ShapeError} when dense landmarks are not those of the model
 */
export function fitPhotographs(
  annotations: readonly LandmarksOfFace[],
  model: MorphableModel,
  camera: Camera,
  { expected, share, focalDeviation = 0 }: Beforehand = {},
): { fits: LandmarkFit[]; posterior: JointPosterior } {
  if (expected && share !== undefined)
    return mixed(annotations, model, camera, { expected, share, focalDeviation })
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
    // Points that say what they know of identity are those of the network.
    ...(!expected && annotations.every(isFromNetwork) && { shrinkage: SHRINKAGE }),
  }
  if (annotations.length === 1) return { fits: alone, posterior: jointPosterior(alone, model.layout, before) }
  return fitPerson(
    (b, agreed, start) => fitCrop(annotations[b], model, { ...options, start }, agreed),
    alone,
    model.layout,
    before,
  )
}

/** Identity between that of the landmarks and what is expected; pose and expression follow it. */
function mixed(
  annotations: readonly LandmarksOfFace[],
  model: MorphableModel,
  camera: Camera,
  { expected, share, focalDeviation }: Required<Beforehand>,
): { fits: LandmarkFit[]; posterior: JointPosterior } {
  const { fits, posterior } = fitPhotographs(annotations, model, camera, { focalDeviation })
  const identity = posterior.identity.map((value, k) => (1 - share) * value + share * expected[k])
  const held: IdentityPrior = { mean: identity, deviations: new Float64Array(identity.length).fill(HOLD) }
  const moved = fits.map((start, b) => ({
    ...fitCrop(annotations[b], model, { camera, focalDeviation, start }, held),
    identity: Float32Array.from(identity),
    // How sure identity is, nobody has learned by holding it.
    posterior: start.posterior,
  }))
  return { fits: moved, posterior: { ...posterior, identity } }
}

const isFromNetwork = ({ denseLandmarks }: LandmarksOfFace) => denseLandmarks?.identity !== undefined

function fitCrop(
  { alignment, denseLandmarks: dense }: LandmarksOfFace,
  model: MorphableModel,
  given: Pick<FitLandmarksOptions, 'camera' | 'focalDeviation' | 'start'>,
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
