import type { DenseLandmarks } from '@facekit/annotate'
import { assertShape, ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import { fitPoints } from './fit-points.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import { pointBasis, type PointBasis } from './point-basis.js'
import { projectPoints } from './project-points.js'
import { assertIdentityPrior } from './shape-prior.js'

/** How the errors of a landmark network's points depend on each other. */
const NOISE = { share: 0.5, length: 25 }
/** Millimetres. */
const MODEL_DEVIATION = 0.5

/** Fits pose, identity and expression to dense landmarks and their depths: maximum a posteriori by Levenberg-Marquardt.
 *
 * As `fitLandmarks`, but each point counts by its own standard deviation, in the picture and in depth, and errors of neighbours are taken to be
 * correlated: without that hundreds of points would pretend to know what they cannot. What the network says of identity (`dense.identity`) comes from the
 * same pixels as its points and is not counted again; for points that are hardly seen, pass it as `identity`, with the model that the network
 * was trained on.
 *
 * @param dense - of the picture that `width` and `height` describe, e.g. from `annotate`
 * @param model - a model with `denseLandmarks`
 * @throws {ValueError} when the model has no dense landmarks, a number is not finite, or a deviation is not positive
 * @throws {ShapeError} when the points are not those of the model
 */
export function fitDenseLandmarks(
  dense: DenseLandmarks,
  model: MorphableModel,
  options: FitLandmarksOptions = {},
): LandmarkFit {
  const who = 'fitDenseLandmarks'
  const { denseLandmarks: vertices } = model
  if (!vertices)
    throw new ValueError(
      `${who}: model ${model.name} has no dense landmarks; use fitLandmarks, or the base model`,
    )
  const count = vertices.length
  assertShape(`${who}: positions`, dense.positions, [count, 2])
  for (const name of ['deviations', 'depths', 'depthDeviations'] as const)
    assertShape(`${who}: ${name}`, { shape: [dense[name].length] }, [count])
  const { identity } = options
  if (identity) assertIdentityPrior(`${who}: identity`, identity, model)
  const { width = 224, height = 224, camera = defaultCamera } = options
  const focal = height / 2 / Math.tan(camera.fieldOfView / 2)
  const own = ((options.modelDeviation ?? MODEL_DEVIATION) * focal) / camera.distance
  const targets = new Float64Array(3 * count)
  const deviations = new Float64Array(3 * count)
  for (let i = 0; i < count; i++) {
    targets.set([dense.positions.get(i, 0), dense.positions.get(i, 1), dense.depths[i]], 3 * i)
    const across = Math.hypot(dense.deviations[i], own)
    deviations.set([across, across, Math.hypot(dense.depthDeviations[i], own)], 3 * i)
    if (!(dense.deviations[i] > 0) || !(dense.depthDeviations[i] > 0))
      throw new ValueError(`${who}: point ${i} has a deviation that is not positive`)
  }
  if (!targets.every(Number.isFinite) || !deviations.every(Number.isFinite))
    throw new ValueError(`${who}: a point is not a finite number`)
  const { basis, places } = denseBasis(model, vertices)
  const points = {
    basis,
    places,
    numbers: 3 as const,
    targets,
    deviations,
    noise: { ...NOISE, ...options.noise },
  }
  const { state, chosen, ...fit } = fitPoints(points, model, options)
  const view = { camera, width, height, numbers: 2 as const }
  const landmarks = projectPoints(basis, state, chosen.subarray(0, 68), view)
  return { ...fit, landmarks: Float32Array.from(landmarks) }
}

const bases = new WeakMap<MorphableModel, { basis: PointBasis; places: Float64Array }>()

/** The rows of a model's dense landmarks, gathered once: 220,000 numbers that lie all over its modes. */
function denseBasis(
  model: MorphableModel,
  vertices: Int32Array,
): { basis: PointBasis; places: Float64Array } {
  const known = bases.get(model)
  if (known) return known
  const basis = pointBasis(
    model,
    Array.from(vertices, (vertex) => [vertex]),
  )
  const places = Float64Array.from(
    { length: 3 * vertices.length },
    (_, r) => model.shape.mean.data[3 * vertices[Math.floor(r / 3)] + (r % 3)] as number,
  )
  const made = { basis, places }
  bases.set(model, made)
  return made
}
