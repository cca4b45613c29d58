import { applyTransform, invertTransform, type FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import { readParameters, type FaceParameters } from '@facekit/parameters'
import type { Camera, FaceRendering } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import type { FitStep } from './descend.js'
import type { FaceUnknowns } from './face-unknowns.js'
import { colorError, landmarkError } from './fit-metrics.js'
import { headGeometry, type HeadGeometry } from './head-geometry.js'
import type { CropTensors } from './stack-crops.js'

/** The face in one or more photographs of a person. */
export interface FitResult {
  /** For each photograph a row; identity and albedo are equal in all rows. The caller disposes them. */
  parameters: FaceParameters
  camera: Camera
  metrics: {
    /** Normalised mean error of the 68 landmarks to those that the fit was given, mean over the photographs; 0.03 is 3 %. With dense landmarks these are their
     * first 68, the jaw on the outline that is seen. */
    landmarkError: number
    /** The same to `landmarks` of the annotation: with dense landmarks a check by networks that the fit did not follow, whose own errors are in it; without,
     * the same number. */
    landmarkCheck: number
    /** Mean absolute colour difference over visible skin, 0..1, and its standard deviation. */
    colorError: number
    colorDeviation: number
    iterations: number
    seconds: number
  }
  history: FitStep[]
  /** For each photograph `[68, 2]` found landmarks, pixels of the original picture, the jaw on the outline that is seen. */
  landmarks: NdArray<Float32Array>[]
  /** For each photograph: landmarks in three dimensions, gaze, real size. */
  heads: HeadGeometry[]
  /** `[N]` mm: radius in which each vertex lies with the probability of one standard deviation (68.27 %), in the head's own space, after a similarity
   * (see `shapeUncertainty`); from the landmarks of all photographs, with the expression of the first. Undefined for a fit that began at `start`. */
  uncertainty: Float32Array | undefined
}

/** What a finished fit leaves. */
interface Outcome {
  model: MorphableModel
  values: Float64Array
  unknowns: FaceUnknowns
  render: (parameters: FaceParameters) => FaceRendering
  annotations: readonly FaceAnnotation[]
  crops: CropTensors
  camera: Camera
  history: FitStep[]
  iterations: number
  started: number
  uncertainty: Float32Array | undefined
}

/** Renders the found face once more and measures it. */
export async function describeFit(outcome: Outcome): Promise<FitResult> {
  const { values, unknowns, annotations, crops, history } = outcome
  const vector = tf.tensor1d(Float32Array.from(values))
  const parameters = unknowns.decode(vector)
  const rendering = tf.tidy(() => {
    const { image, mask, landmarks } = outcome.render(parameters)
    return { image, mask, landmarks }
  })
  const [image, mask, landmarks, picture, faceRegion] = await Promise.all(
    [rendering.image, rendering.mask, rendering.landmarks, crops.inputImage, crops.faceRegion].map((t) =>
      t.data(),
    ),
  )
  tf.dispose([vector, rendering])
  const faces = await readParameters(parameters)
  const color = colorError(picture, image, faceRegion, mask)
  const found = annotations.map((_, i) => landmarks.slice(136 * i, 136 * (i + 1)))
  const mean = (errors: number[]) => errors.reduce((sum, error) => sum + error, 0) / errors.length
  const given = annotations.map(({ alignment, denseLandmarks: dense }) =>
    dense && outcome.model.denseLandmarks
      ? applyTransform(alignment.transform, dense.landmarks)
      : alignment.landmarks,
  )
  return {
    parameters,
    camera: outcome.camera,
    metrics: {
      landmarkError: mean(given.map((landmarks, i) => landmarkError(found[i], landmarks))),
      landmarkCheck: mean(
        annotations.map(({ alignment }, i) => landmarkError(found[i], alignment.landmarks)),
      ),
      colorError: color.mean,
      colorDeviation: color.deviation,
      iterations: outcome.iterations,
      seconds: (performance.now() - outcome.started) / 1000,
    },
    history,
    heads: faces.map((face, i) => headGeometry(face, annotations[i], outcome.model, outcome.camera)),
    uncertainty: outcome.uncertainty,
    landmarks: annotations.map(({ alignment }, i) =>
      applyTransform(invertTransform(alignment.transform), ndarray(Float32Array.from(found[i]), [68, 2])),
    ),
  }
}
