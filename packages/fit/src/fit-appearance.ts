import type { MorphableModel } from '@facekit/morphable'
import type { FaceAnnotation } from '@facekit/annotate'
import type { FaceParameters } from '@facekit/parameters'
import type { LossTerm } from '@facekit/losses'
import { renderFace, type Camera, type FaceGeometry, type FaceRendering } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { colorMonochrome } from './color-monochrome.js'
import { descend, type Descent, type FitStep } from './descend.js'
import { fitLossTerms, type FitLossWeights } from './fit-loss-terms.js'
import type { ShapeAnchor } from './shape-anchor.js'
import { coarserCrops, type CropTensors } from './stack-crops.js'
import { storeLight, storeTone } from './store-light.js'

/** Least side of the pictures that light and the model's colours are found in, which have no detail that needs more: 224 is halved. */
const STILL_SIZE = 96

/** The same where one photograph moves the shape: what shading tells of it is smooth, and what is finer (brows, pores, beards) would be taken for shape. Several have
 * their outlines in common, which want more pixels. */
const MOVING_SIZE = 48

/** Factor of the rates while the shape moves, if not more is asked for: its steps are few. */
const MOVING_RATE = 2

/** How pose and shape are held to what landmarks say of them. */
export interface ShapeHold {
  still: ShapeAnchor
  /** What holds them after the first steps, of which there are at least `after`, by the photometric loss that these have come to, and for how many steps at most;
   * undefined: they stay where they are. */
  moving?: { anchor: (photometric: number) => ShapeAnchor; after: number; steps: number }
}

/** What `fitAppearance` works on. */
export interface AppearanceStage extends Pick<
  Descent,
  'unknowns' | 'values' | 'iterations' | 'rate' | 'embed' | 'signal' | 'onStep'
> {
  model: MorphableModel
  /** Those of black-and-white photographs are given colours. */
  crops: CropTensors
  annotations: readonly FaceAnnotation[]
  camera: Camera
  /** Without, pose and shape go where the losses take them. */
  hold?: ShapeHold
  /** Whether light and albedo are estimated first, or start where they are. */
  estimateLight: boolean
  /** Whether the point light begins where it is, and not where its highlight is found. */
  keepLamp?: boolean
  weights?: Partial<FitLossWeights>
  losses?: readonly LossTerm[]
  onLight?: () => void
}

/** Light and albedo, by alternating least squares and then by a descent through the renderer, whose later steps move the shape, too, where `hold` lets them.
 *
 * `values` are moved in place.
 *
 * @returns the steps, and what renders the result
 */
export async function fitAppearance(
  stage: AppearanceStage,
): Promise<{ history: FitStep[]; render: (parameters: FaceParameters) => FaceRendering }> {
  const { model, crops, values, unknowns, hold, iterations } = stage
  const render = rendererOf(stage, crops.size)
  let whites: Awaited<ReturnType<typeof storeLight>> | undefined
  if (stage.estimateLight) {
    const geometry = geometryAt(stage, crops.size)
    try {
      await colorMonochrome(model, geometry, crops, stage.annotations)
      whites = await storeLight(stage, geometry)
    } finally {
      tf.dispose(geometry)
    }
    stage.onLight?.()
  }
  stage.signal?.throwIfAborted()
  const history: FitStep[] = []
  if (!hold) history.push(...(await descendAt(stage, crops.size, { iterations })))
  else {
    const { moving } = hold
    const last = moving ? Math.min(moving.steps, Math.max(0, iterations - moving.after)) : 0
    const first = iterations - last
    history.push(...(await descendAt(stage, STILL_SIZE, { iterations: first, anchor: hold.still })))
    if (moving && last > 0) {
      const best = history.reduce((least, step) => (step.total < least.total ? step : least))
      const rest = {
        iterations: last,
        done: first,
        rate: Math.max(MOVING_RATE, stage.rate ?? 1),
        anchor: moving.anchor(best.terms.photometric ?? Infinity),
      }
      const least = stage.annotations.length > 1 ? STILL_SIZE : MOVING_SIZE
      history.push(...(await descendAt(stage, least, rest)))
    }
  }
  // Own losses have their own say on the tone.
  if (whites && !stage.losses) storeTone(values, unknowns, model, whites)
  return { history, render }
}

/** Some steps, in pictures whose side is at least `least`. */
async function descendAt(
  stage: AppearanceStage,
  least: number,
  steps: Pick<Descent, 'iterations'> & Partial<Pick<Descent, 'anchor' | 'done' | 'rate'>>,
): Promise<FitStep[]> {
  const { model, crops } = stage
  const { anchor, iterations } = steps
  const isStill = anchor?.frozen === true
  // A recognition network looks at details.
  const isRecognised = stage.embed && (!anchor || stage.losses || stage.weights?.identity)
  const seen = coarserCrops(crops, isRecognised ? crops.size : least)
  const geometry = isStill && iterations > 0 ? geometryAt(stage, seen.size) : undefined
  try {
    const hold = !anchor ? 'free' : isStill ? 'still' : 'anchored'
    return await descend({
      ...stage,
      ...steps,
      crops: seen,
      render: rendererOf(stage, seen.size),
      terms: stage.losses ?? fitLossTerms(model, stage.weights, hold),
      ...(geometry && { geometry }),
    })
  } finally {
    const { size: _, ...tensors } = seen
    tf.dispose([geometry ?? [], tensors])
  }
}

const rendererOf =
  ({ model, camera }: AppearanceStage, size: number) =>
  (parameters: FaceParameters, geometry?: FaceGeometry) =>
    renderFace(model, parameters, { width: size, height: size, camera, contour: 'visible', geometry })

/** What the face looks like at the present values. */
const geometryAt = (stage: AppearanceStage, size: number) =>
  tf.tidy(() => {
    const { unknowns, values } = stage
    const parameters = unknowns.decode(tf.tensor1d(Float32Array.from(values)))
    const { vertices, normals, landmarks, fragments } = rendererOf(stage, size)(parameters)
    return { vertices, normals, landmarks, fragments: { ...fragments } }
  })
