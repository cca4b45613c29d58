import * as tf from '@tensorflow/tfjs-core'
import type { Box } from '../detect/detector-network.js'
import {
  boxView,
  landmarksView,
  meanPoints,
  predictInViews,
  type LandmarkView,
  type ViewNetwork,
} from './landmark-view.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Size of the first look, in sizes of the box. */
const BOX_SCALE = 1.4
/** Size of the later looks, in sizes of the square around the landmarks: the middle of what the network is trained on. */
const LANDMARK_SCALE = 1.45

/** A network that decodes its heat maps. */
export interface HeatmapPredictor {
  inputSize: number
  predict(images: tf.Tensor4D): { points: tf.Tensor3D; scores: tf.Tensor2D }
}

/** Looks at the box, then level around the landmarks that were found there, then so again and in a mirror.
 *
 * @returns `[68, 2]` pixels of the picture
 */
export async function lookAtBox(raster: Raster, predictor: HeatmapPredictor, box: Box): Promise<Points> {
  const network = viewNetwork(predictor)
  let [points] = await predictInViews(raster, network, [scaled(boxView(box), BOX_SCALE)])
  const view = landmarksView(points)
  if (!(view.size > 2)) return points
  ;[points] = await predictInViews(raster, network, [scaled(view, LANDMARK_SCALE)])
  return lookAgain(raster, predictor, points)
}

/** Looks around landmarks that are about right, plainly and in a mirror, and takes the mean. */
export async function lookAgain(
  raster: Raster,
  predictor: HeatmapPredictor,
  points: Points,
): Promise<Points> {
  const view = scaled(landmarksView(points), LANDMARK_SCALE)
  if (!(view.size > 2)) return points
  return meanPoints(await predictInViews(raster, viewNetwork(predictor), [view, { ...view, mirrored: true }]))
}

const scaled = (view: LandmarkView, scale: number): LandmarkView => ({ ...view, size: view.size * scale })

function viewNetwork({ inputSize, predict }: HeatmapPredictor): ViewNetwork {
  return {
    inputSize,
    predict: (images) =>
      tf.tidy(() => {
        const { points } = predict(tf.div(images, 255))
        return tf.reshape(tf.div(points, inputSize), [images.shape[0], -1])
      }),
  }
}
