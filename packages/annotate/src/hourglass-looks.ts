import * as tf from '@tensorflow/tfjs-core'
import type { Box } from './detector-network.js'
import { checkFaceBox } from './face-box.js'
import {
  boxView,
  landmarksView,
  meanPoints,
  predictInViews,
  type LandmarkView,
  type ViewNetwork,
} from './landmark-view.js'
import type { Picture } from './picture.js'
import { readRaster } from './picture-raster.js'
import type { Points } from './similarity-transform.js'

/** Size of the first look, in sizes of the box. */
const BOX_SCALE = 1.4
/** Size of the later looks, in sizes of the square around the landmarks: the middle of what the network is trained on. */
const LANDMARK_SCALE = 1.45
/** Looks at a box and again around what was found: after this many it has settled. */
const ROUNDS = 2

/** A network that decodes its heat maps. */
interface Predictor {
  inputSize: number
  predict(images: tf.Tensor4D): { points: tf.Tensor3D; scores: tf.Tensor2D }
}

/** Looks at the box, then level around the landmarks that were found there, then so again and in a mirror, and takes the mean.
 *
 * @throws {ShapeError | ImageError | ValueError | AnnotationError} as `findLandmarks`
 */
export async function lookThrice(
  picture: Picture | tf.Tensor3D,
  box: Box,
  predictor: Predictor,
): Promise<Points> {
  const raster = await readRaster('Hourglass.find: picture', picture)
  checkFaceBox('Hourglass.find', box, raster)
  const { inputSize } = predictor
  const network: ViewNetwork = {
    inputSize,
    predict: (images) =>
      tf.tidy(() => {
        const { points } = predictor.predict(tf.div(images, 255))
        return tf.reshape(tf.div(points, inputSize), [images.shape[0], -1])
      }),
  }
  const scaled = (view: LandmarkView, scale: number) => ({ ...view, size: view.size * scale })
  let [points] = await predictInViews(raster, network, [scaled(boxView(box), BOX_SCALE)])
  for (let round = 1; round <= ROUNDS; round++) {
    const view = scaled(landmarksView(points), LANDMARK_SCALE)
    if (!(view.size > 2)) return points
    const views = round < ROUNDS ? [view] : [view, { ...view, mirrored: true }]
    points = meanPoints(await predictInViews(raster, network, views))
  }
  return points
}
