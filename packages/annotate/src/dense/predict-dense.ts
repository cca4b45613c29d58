import { dispose, div, tensor4d, tidy, type Tensor4D } from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import type { LandmarkView } from '../landmarks/landmark-view.js'
import { viewTransform } from '../landmarks/predict-views.js'
import { resample, type Raster } from '../pictures/resample.js'
import { invertTransform, transformPoint } from '../pictures/similarity-transform.js'
import type { DensePredictor } from './dense-file.js'
import type { DenseLandmarks } from './dense-landmarks.js'
import { denseView } from './dense-view.js'

/** What the network sees in a view of a picture. */
export interface DenseSight {
  found: DenseLandmarks
  /** Upright around what was found. */
  view: LandmarkView
  /** Mean deviation of the mesh's points in sides of that view: how unsure the network is. */
  doubt: number
}

const JAW = 17
const IBUG = 68

/** Runs the network on views of a picture, all in one batch. */
export async function predictDense(
  raster: Raster,
  { options, predict, model }: DensePredictor,
  views: readonly LandmarkView[],
): Promise<DenseSight[]> {
  const { inputSize: size, points, outline, identity } = options
  const pixels = new Float32Array(views.length * size * size * 3)
  const transforms = views.map((view, i) => {
    const transform = viewTransform(view, size)
    const { data } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
    pixels.set(data, i * size * size * 3)
    return invertTransform(transform)
  })
  const prediction = tidy(() =>
    predict(div(tensor4d(pixels, [views.length, size, size, 3]), 255) as Tensor4D),
  )
  const [places, deviations, depths, depthDeviations, means, spreads] = await Promise.all(
    [
      prediction.positions,
      prediction.logDeviations,
      prediction.depths,
      prediction.logDepthDeviations,
      prediction.identity,
      prediction.logIdentityDeviations,
    ].map((x) => x.data()),
  )
  dispose(prediction)
  const all = points + outline
  return views.map(({ size: side }, i) => {
    /** Lengths in sides of the view become pixels. */
    const lengths = (values: ArrayLike<number>, stride: number, count: number, map = (v: number) => v) =>
      Float32Array.from({ length: count }, (_, k) => side * map(values[i * stride + k]))
    const place = (k: number) => {
      const at = 2 * (i * all + k)
      return transformPoint(transforms[i], size * places[at], size * places[at + 1])
    }
    const positions = Float32Array.from(Array.from({ length: points }, (_, k) => place(k)).flat())
    const landmarks = positions.slice(0, 2 * IBUG)
    for (let k = 0; k < Math.min(JAW, outline); k++) landmarks.set(place(points + k), 2 * k)
    const found: DenseLandmarks = {
      positions: ndarray(positions, [points, 2]),
      deviations: lengths(deviations, all, points, Math.exp),
      depths: lengths(depths, points, points),
      depthDeviations: lengths(depthDeviations, points, points, Math.exp),
      landmarks: ndarray(landmarks, [IBUG, 2]),
      ...(identity > 0 && {
        identity: {
          mean: Float32Array.from({ length: identity }, (_, k) => means[i * identity + k]),
          deviations: Float32Array.from({ length: identity }, (_, k) => Math.exp(spreads[i * identity + k])),
          ...(model !== undefined && { model }),
        },
      }),
    }
    const solid = Float32Array.from({ length: 3 * points }, (_, k) => {
      const point = Math.floor(k / 3)
      return k % 3 < 2 ? positions[2 * point + (k % 3)] : found.depths[point]
    })
    const view = denseView(solid, points)
    const doubt = found.deviations.reduce((sum, value) => sum + value, 0) / points / view.size
    return { found, view, doubt }
  })
}
