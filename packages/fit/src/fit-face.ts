import { ShapeError, ValueError, assertInRange, assertInteger } from '@facekit/core'
import { defaultLightPosition, type FaceParametersInput, type ParameterName } from '@facekit/parameters'
import type { FaceAnnotation, Picture } from '@facekit/annotate'
import type { LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { cameraAt, focalCamera } from './focal-camera.js'
import { fitAppearance, type ShapeHold } from './fit-appearance.js'
import { faceUnknowns, type FaceUnknowns } from './face-unknowns.js'
import { fitPhotographs } from './landmarks/fit-photographs.js'
import type { FitLossWeights } from './fit-loss-terms.js'
import { describeFit, type FitResult } from './fit-result.js'
import type { LandmarkFit } from './landmarks/landmark-fit.js'
import { calibrateCovariance } from './landmarks/calibrate-covariance.js'
import { shapeUncertainty } from './landmarks/shape-uncertainty.js'
import { shapeCovariance } from './landmarks/joint-posterior.js'
import { stackCrops } from './stack-crops.js'
import { shapeAnchor, shapeWeight } from './shape-anchor.js'
import { storeStart } from './store-start.js'

/** What `onProgress` of `fitFace` is called with. */
export interface FitProgress {
  stage: 'landmarks' | 'light' | 'appearance'
  /** Steps done of this stage, and how many it has. */
  iteration: number
  iterations: number
  /** Total loss; NaN before the first is known. */
  loss: number
}

/** Options of `fitFace`. */
export interface FitFaceOptions {
  /** Default: that of `focalLength`, or `defaultCamera`. */
  camera?: Camera
  /** Focal length of the photograph, pixels of the original picture, e.g. from `readFocalLength`; or `'estimate'`: it is fitted with the
   * shape, which dense landmarks of a near face allow. Of several photographs the mean counts, since they share a camera; `'estimate'` is for
   * a single one. Not with `start` or `camera`. */
  focalLength?: number | 'estimate'
  /** Most steps of the descent on all losses. In the first 40 or more (with `prior` 10), which end before, once nothing is left to gain, the shape stays where the
   * landmarks put it; in the last 40 at most it moves (with `shapeWeight` in all after the first ones). Default 80, with `start` or `prior` 40. */
  iterations?: number
  /** Weights of the default terms; ignored when `losses` is given. */
  weights?: Partial<FitLossWeights>
  /** Terms to minimise instead of `fitLossTerms(model)`. */
  losses?: readonly LossTerm[]
  /** Where the descent begins, e.g. what a regressor gives, with a row for each photograph: takes the place of the first two stages. With
   * `iterations: 0` it is only measured. The caller keeps it. */
  start?: FaceParametersInput
  /** What a face is expected to be, e.g. what a regressor gives, with a row for each photograph: landmarks are fitted near its identity, and its
   * point light is where the descent begins. Not with `start`. The caller keeps it. */
  prior?: FaceParametersInput
  /** How much of identity comes from `prior`, and how little from the landmarks, 0..1, where the regressor is known to see more than dense landmarks do
   * (`FaceRegressor.identityShare`). Default: landmarks decide, and the prior where they are unsure. */
  priorShare?: number
  /** Weight, in the loss of the descent, of what the landmarks say of pose and shape: of half the squared Mahalanobis distance from their optimum.
   * `Infinity` keeps the shape where the landmarks put it, 0 lets it go. Not with `start`. Default: by how well the face explains the pictures before its shape
   * moves, with the seventh power of the photometric loss, 3e-4 / V for V clean photographs. */
  shapeWeight?: number
  /** Factor of the steps of the descent: larger ones for few iterations. Default 1, and 2 while the shape moves. */
  rate?: number
  /** Makes `[B, D]` of `[B, S, S, 3]` pictures, differentiable, for the identity term: that counts after `start`, or
   * where `weights.identity` is given (a number, so that the loss is the same at each step). */
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
  /** Stops the work between two steps; the promise is rejected with the signal's reason. */
  signal?: AbortSignal
  onProgress?: (progress: FitProgress) => void
}

/** Fits a morphable face to a photograph, or to several photographs of one person, by analysis and synthesis.
 *
 * Three stages: pose, identity and expression from the landmarks (`fitLandmarks`); light and albedo by alternating
 * least squares; then by descents through the differentiable renderer on the paper's hybrid loss (Eq. 6): light and albedo first
 * (L-BFGS), then everything together (Adam). Deterministic: the same input gives the same result on the same backend.
 *
 * @param image - the photograph(s) that the annotations were made from
 * @param annotation - label(s) of one face, by `annotate`
 * @param model - any morphable model with albedo
 * @throws {ShapeError} when an annotation does not have the shapes that `annotate` gives
 * @throws {ValueError} when there are not as many annotations as photographs, or one lies outside of its photograph
 * @throws {FacekitError} when a loss or a gradient is not finite; names the term
 */
export async function fitFace(
  image: Picture | readonly Picture[],
  annotation: FaceAnnotation | readonly FaceAnnotation[],
  model: MorphableModel,
  options: FitFaceOptions = {},
): Promise<FitResult> {
  const started = performance.now()
  const annotations = Array.isArray(annotation) ? annotation : [annotation as FaceAnnotation]
  const { iterations = options.start || options.prior ? FEW : MANY, signal, onProgress } = options
  assertInteger('fitFace: iterations', iterations, 0, 100_000)
  if (options.start && options.prior)
    throw new ValueError(
      'fitFace: start and prior are both given, expected one; leave prior out to begin at start',
    )
  if (options.priorShare !== undefined) {
    assertInRange('fitFace: priorShare', options.priorShare, 0, 1)
    if (!options.prior) throw new ValueError('fitFace: priorShare is given without a prior')
  }
  checkPictures((Array.isArray(image) ? image : [image]) as Picture[], annotations)
  let camera = cameraOf(options, annotations)
  const crops = stackCrops(annotations)
  const report = (stage: FitProgress['stage'], iteration: number, total: number, loss = Number.NaN) =>
    onProgress?.({ stage, iteration, iterations: total, loss })
  try {
    const unknowns = faceUnknowns(model.layout, annotations.length)
    const values = new Float64Array(unknowns.size)
    let hold: ShapeHold | undefined
    let uncertainty: Float32Array | undefined
    const store = (option: 'start' | 'prior', parameters: FaceParametersInput) =>
      storeStart(values, unknowns, option, parameters, model.layout, annotations.length)
    if (options.start) await store('start', options.start)
    else {
      const { prior } = options
      if (prior) await store('prior', prior)
      const expected = prior && Float64Array.from(values.subarray(...unknowns.range('identity')))
      const found = fitPhotographs(annotations, model, camera, {
        ...(expected && { expected }),
        ...(options.priorShare !== undefined && { share: options.priorShare }),
        focalDeviation: options.focalLength === 'estimate' ? FOCAL_DEVIATION : 0,
      })
      if (found.fits[0].focal !== 1) camera = cameraAt(camera, found.fits[0].focal)
      for (const [i, fitted] of found.fits.entries()) {
        signal?.throwIfAborted()
        storeShape(values, unknowns, i, fitted)
        if (!prior) storePointLight(values, unknowns, i)
        report('landmarks', i + 1, annotations.length)
      }
      const given = options.shapeWeight
      const anchorOf = (weight: number) =>
        shapeAnchor(unknowns, values, found.posterior, model, annotations.length, weight)
      if (given !== 0)
        hold = {
          still: anchorOf(Infinity),
          ...(given !== Infinity && {
            moving: {
              anchor: (photometric: number) =>
                anchorOf(given ?? shapeWeight(photometric, annotations.length)),
              after: options.prior ? PRIOR_STILL_STEPS : STILL_STEPS,
              steps: given === undefined ? MOVING_STEPS : Infinity,
            },
          }),
        }
      uncertainty = await shapeUncertainty(
        model,
        Float32Array.of(...found.fits[0].identity, ...found.fits[0].expression),
        calibrateCovariance(shapeCovariance(found.posterior, model.layout), model.layout),
      )
    }
    signal?.throwIfAborted()
    const { history, render } = await fitAppearance({
      ...options,
      model,
      crops,
      annotations,
      camera,
      unknowns,
      values,
      iterations,
      ...(hold && { hold }),
      estimateLight: !options.start,
      keepLamp: options.prior !== undefined,
      onLight: () => report('light', 1, 1),
      onStep: (step) => report('appearance', step.iteration + 1, iterations, step.total),
    })
    return await describeFit({
      model,
      values,
      unknowns,
      render,
      annotations,
      crops,
      camera,
      history,
      iterations,
      started,
      uncertainty,
    })
  } finally {
    const { size: _, ...tensors } = crops
    tf.dispose(tensors)
  }
}

/** Standard deviation of the logarithm of focal lengths about the default: faces are photographed from 40 cm to 3 m. */
const FOCAL_DEVIATION = 0.5

function cameraOf(
  { camera, focalLength, start }: FitFaceOptions,
  annotations: readonly FaceAnnotation[],
): Camera {
  if (focalLength === undefined) return camera ?? defaultCamera
  if (start || camera)
    throw new ValueError(
      `fitFace: focalLength and ${start ? 'start' : 'camera'} are both given, expected one; a start belongs to the camera that it was found with`,
    )
  if (focalLength === 'estimate') {
    if (annotations.length > 1)
      throw new ValueError(
        `fitFace: focalLength is 'estimate' for ${annotations.length} photographs, expected one; give it in pixels`,
      )
    return defaultCamera
  }
  const logarithms = annotations.map(({ alignment }) => Math.log(focalLength * alignment.transform.scale))
  const mean = logarithms.reduce((sum, value) => sum + value, 0) / annotations.length
  return focalCamera(Math.exp(mean), annotations[0].alignment.size)
}

function checkPictures(pictures: readonly Picture[], annotations: readonly FaceAnnotation[]): void {
  if (pictures.length !== annotations.length || pictures.length === 0) {
    throw new ValueError(
      `fitFace: ${pictures.length} photographs but ${annotations.length} annotations; give one annotation for each`,
    )
  }
  for (const [i, picture] of pictures.entries()) {
    if (picture?.shape?.length !== 3 || picture.shape[2] !== 3) {
      throw new ShapeError(`fitFace: image ${i} is [${picture?.shape}], expected [H, W, 3]; use readPicture`)
    }
    const box = annotations[i]?.box
    if (
      box &&
      (box.x >= picture.shape[1] ||
        box.y >= picture.shape[0] ||
        box.x + box.width <= 0 ||
        box.y + box.height <= 0)
    ) {
      throw new ValueError(
        `fitFace: annotation ${i} lies outside of its photograph; was it made from another one?`,
      )
    }
  }
}

function storeShape(
  values: Float64Array,
  unknowns: FaceUnknowns,
  picture: number,
  fitted: LandmarkFit,
): void {
  const store = (name: ParameterName, numbers: ArrayLike<number>) =>
    values.set(numbers, unknowns.range(name, picture)[0])
  store('identity', fitted.identity)
  store('expression', fitted.expression)
  store('rotation', fitted.rotation)
  store('translation', fitted.translation)
  store('scale', [unknowns.encode('scale', fitted.scale)])
}

/** First steps, in which the shape is held while light and colours are found: what they explain is no longer taken for shape. A regressor knows of both already. */
const [STILL_STEPS, PRIOR_STILL_STEPS] = [40, 10]

/** Most steps that move the shape, unless the weight is given: more follow what shading is wrong about (`benchmarks/fit-iterations.ts`). */
const MOVING_STEPS = 40

/** Steps by default, and after a regressor. */
const [MANY, FEW] = [80, 40]

/** Where no highlight is seen: a lamp that hardly makes one. */
const START_LIGHT = { logColor: -0.7, shininess: 15 }

/** The point light before anything is known of it. */
function storePointLight(values: Float64Array, unknowns: FaceUnknowns, picture: number): void {
  values.set(defaultLightPosition, unknowns.range('lightPosition', picture)[0])
  values.fill(START_LIGHT.logColor, ...unknowns.range('lightColor', picture))
  values.fill(unknowns.encode('shininess', START_LIGHT.shininess), ...unknowns.range('shininess', picture))
}
