import { assertShape, ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, jawOutwardDirection } from '@facekit/render'
import type { NdArray } from 'ndarray'
import { fitPoints } from './fit-points.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import { pointBasis, type PointBasis } from './point-basis.js'
import { projectPoints } from './project-points.js'
import { assertIdentityPrior } from './shape-prior.js'

const COUNT = 68
const JAW_COUNT = 17
/** How the errors of the 68 landmarks depend on each other. */
const NOISE = { share: 0.3, length: 20 }

/** Fits pose, identity and expression to 68 landmarks: maximum a posteriori by Levenberg-Marquardt.
 *
 * Minimises the squared residuals in standard deviations, robustly (Huber, 2.5 deviations), plus the prior: identity N(0, 1), blendshapes exponentially
 * distributed within the model's `expressionRange`. Jaw landmarks slide along the model's `jawContours` when the head turns. Deterministic;
 * takes some hundredths of a second.
 *
 * @param landmarks - `[68, 2]` pixels, origin top left, pixel centres at +0.5
 * @param model - any model with 68 landmarks
 * @throws {ShapeError} when `landmarks` is not `[68, 2]`
 * @throws {ValueError} when a landmark is not a finite number
 */
export function fitLandmarks(
  landmarks: NdArray<Float32Array>,
  model: MorphableModel,
  options: FitLandmarksOptions = {},
): LandmarkFit {
  assertShape('fitLandmarks: landmarks', landmarks, [COUNT, 2])
  const targets = Float64Array.from({ length: 2 * COUNT }, (_, i) => landmarks.get(i >> 1, i & 1))
  if (!targets.every(Number.isFinite)) throw new ValueError('fitLandmarks: a landmark is not a finite number')
  if (options.identity) assertIdentityPrior('fitLandmarks: identity', options.identity, model)
  const { width = 224, height = 224, camera = defaultCamera } = options
  const sigma = ((options.landmarkDeviation ?? 1.5) * height) / 224
  const basis = pointBasis(
    model,
    Array.from(model.landmarks, (vertex, i) => {
      const contour = model.jawContours?.[i]
      return contour?.length ? contour : [vertex]
    }),
  )
  const { mean } = model.shape
  const places = Float64Array.from(
    { length: 3 * COUNT },
    (_, i) => mean.data[3 * model.landmarks[Math.floor(i / 3)] + (i % 3)] as number,
  )
  const view = { camera, width, height, numbers: 2 as const }
  const choose = (state: Float64Array) => outermostRows(basis, state, view)
  const points = {
    basis,
    places,
    numbers: view.numbers,
    targets,
    deviations: Float64Array.from(targets, (_, i) => (i >> 1 < JAW_COUNT ? 2 * sigma : sigma)),
    noise: { ...NOISE, ...options.noise },
    choose,
  }
  const { state, chosen, ...fit } = fitPoints(points, model, options)
  return { ...fit, landmarks: Float32Array.from(projectPoints(basis, state, chosen, view)) }
}

/** The row that each landmark stands on under a pose: for the jaw the candidate that is outermost in the picture. */
function outermostRows(
  basis: PointBasis,
  state: Float64Array,
  view: Parameters<typeof projectPoints>[3],
): Int32Array {
  const [sin, cos] = [Math.sin(state[2]), Math.cos(state[2])]
  const pixels = projectPoints(
    basis,
    state,
    Int32Array.from({ length: basis.rows }, (_, row) => row),
    view,
  )
  return Int32Array.from(basis.candidates, (candidates, i) => {
    if (candidates.length === 1) return candidates[0]
    const [right, downwards] = jawOutwardDirection(i)
    let bestRow = candidates[0]
    let farthest = -Infinity
    for (const row of candidates) {
      // Levelled by the roll.
      const sideways = cos * pixels[2 * row] - sin * pixels[2 * row + 1]
      const down = sin * pixels[2 * row] + cos * pixels[2 * row + 1]
      const outwards = right * sideways + downwards * down
      if (outwards > farthest) {
        farthest = outwards
        bestRow = row
      }
    }
    return bestRow
  })
}
