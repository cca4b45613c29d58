import type { MorphableModel } from '@facekit/morphable'
import type { FaceAnnotation } from '@facekit/annotate'
import type { FaceParameters } from '@facekit/parameters'
import type { LossTerm } from '@facekit/losses'
import { renderFace, type Camera, type FaceGeometry, type FaceRendering } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { colorMonochrome } from './color-monochrome.js'
import { descend, type Descent, type FitStep } from './descend.js'
import type { FaceUnknowns } from './face-unknowns.js'
import { fitLossTerms, type FitLossWeights } from './fit-loss-terms.js'
import { halveCrops, type CropTensors } from './stack-crops.js'
import { storeLight, storeTone } from './store-light.js'

/** Crops of at least this size are halved where only light and colours are looked for: a quarter of the pixels, and the same result. */
const COARSE_FROM = 192

/** What `fitAppearance` works on. */
export interface AppearanceStage extends Pick<
  Descent,
  'unknowns' | 'values' | 'iterations' | 'rate' | 'anchor' | 'embed' | 'signal' | 'onStep'
> {
  model: MorphableModel
  /** Those of black-and-white photographs are given colours. */
  crops: CropTensors
  annotations: readonly FaceAnnotation[]
  camera: Camera
  /** Whether light and albedo are estimated first, or start where they are. */
  estimateLight: boolean
  /** Whether the point light begins where it is, and not where its highlight is found. */
  keepLamp?: boolean
  weights?: Partial<FitLossWeights>
  losses?: readonly LossTerm[]
  onLight?: () => void
}

/** Light and albedo, by alternating least squares and then by a descent through the renderer, in which the shape moves, too, unless it is frozen.
 *
 * `values` are moved in place.
 *
 * @returns the steps, and what renders the result
 */
export async function fitAppearance(
  stage: AppearanceStage,
): Promise<{ history: FitStep[]; render: (parameters: FaceParameters) => FaceRendering }> {
  const { model, crops, camera, values, unknowns, anchor, iterations } = stage
  const renderAt = (size: number) => (parameters: FaceParameters, geometry?: FaceGeometry) =>
    renderFace(model, parameters, { width: size, height: size, camera, contour: 'visible', geometry })
  const geometryAt = (size: number) =>
    tf.tidy(() => {
      const { vertices, normals, landmarks, fragments } = renderAt(size)(decodeOnce(unknowns, values))
      return { vertices, normals, landmarks, fragments: { ...fragments } }
    })
  let whites: Awaited<ReturnType<typeof storeLight>> | undefined
  if (stage.estimateLight) {
    const geometry = geometryAt(crops.size)
    try {
      await colorMonochrome(model, geometry, crops, stage.annotations)
      whites = await storeLight(stage, geometry)
    } finally {
      tf.dispose(geometry)
    }
    stage.onLight?.()
  }
  stage.signal?.throwIfAborted()
  const isStill = anchor?.frozen === true
  // A recognition network looks at details; a shape that one photograph shows needs its outlines.
  const isRecognised = stage.embed && (!isStill || (stage.losses ?? stage.weights?.identity))
  const isShared = isStill || (anchor !== undefined && stage.annotations.length > 1)
  const isCoarse = isShared && !isRecognised && crops.size >= COARSE_FROM && crops.size % 2 === 0
  const seen = isCoarse ? halveCrops(crops) : crops
  const geometry = isStill && iterations > 0 ? geometryAt(seen.size) : undefined
  try {
    const hold = !anchor ? 'free' : isStill ? 'still' : 'anchored'
    const history = await descend({
      ...stage,
      crops: seen,
      render: renderAt(seen.size),
      terms: stage.losses ?? fitLossTerms(model, stage.weights, hold),
      ...(geometry && { geometry }),
    })
    // Own losses have their own say on the tone.
    if (whites && !stage.losses) storeTone(values, unknowns, model, whites)
    return { history, render: renderAt(crops.size) }
  } finally {
    if (geometry) tf.dispose(geometry)
    if (seen !== crops) {
      const { size: _, ...tensors } = seen
      tf.dispose(tensors)
    }
  }
}

const decodeOnce = (unknowns: FaceUnknowns, values: Float64Array) =>
  unknowns.decode(tf.tensor1d(Float32Array.from(values)))
