import * as tf from '@tensorflow/tfjs-core'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'
import { landmarksView, scaledView, type LandmarkView } from './landmark-view.js'
import { meanLandmarksOf, predictInViews, type ViewLandmarks, type ViewNetwork } from './predict-views.js'

/** Size of the first view, in sizes of the box. */
const BOX_SCALE = 1.4
/** Size of the later views, in sizes of the square around the landmarks: the middle of what the network is trained on. */
const LANDMARK_SCALE = 1.45
/** Least size of that square in pixels: landmarks that fall together have no direction. */
const LEAST_SIZE = 2

/** A network that decodes its heat maps. */
export interface HeatmapPredictor {
  inputSize: number
  predict(images: tf.Tensor4D): { points: tf.Tensor3D; scores: tf.Tensor2D }
}

/** The landmarks by the hourglass network in a view of a box: found there, then level around what was found, then so again and in a mirror. */
export async function hourglassInView(
  raster: Raster,
  predictor: HeatmapPredictor,
  start: LandmarkView,
): Promise<ViewLandmarks> {
  const network = viewNetwork(predictor)
  const [first] = await predictInViews(raster, network, [scaledView(start, BOX_SCALE)])
  const view = landmarksView(first.points)
  if (!(view.size > LEAST_SIZE)) return { ...first, score: 0 }
  const [second] = await predictInViews(raster, network, [scaledView(view, LANDMARK_SCALE)])
  return hourglassAround(raster, predictor, second.points)
}

/** The landmarks around others that are about right: the mean of a level view and its mirror image. */
export async function hourglassAround(
  raster: Raster,
  predictor: HeatmapPredictor,
  points: Points,
): Promise<ViewLandmarks> {
  const view = scaledView(landmarksView(points), LANDMARK_SCALE)
  if (!(view.size > LEAST_SIZE)) return { points, score: 0 }
  const views = [view, { ...view, mirrored: true }]
  return meanLandmarksOf(await predictInViews(raster, viewNetwork(predictor), views))
}

function viewNetwork({ inputSize, predict }: HeatmapPredictor): ViewNetwork {
  return {
    inputSize,
    predict: (images) =>
      tf.tidy(() => {
        const { points, scores } = predict(tf.div(images, 255))
        return {
          points: tf.reshape(tf.div(points, inputSize), [images.shape[0], -1]) as tf.Tensor2D,
          scores: tf.mean(scores, 1) as tf.Tensor1D,
        }
      }),
  }
}
