import type { DenseLandmarks } from '@facekit/annotate'
import { assertShape, ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import { fitPoints } from './fit-points.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import { pointBasis, type PointBasis } from './point-basis.js'
import { projectPoints } from './project-points.js'
import { seenOpenings, type SeenOpening } from './seen-openings.js'
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
  const { identity, landmarks: others } = options
  if (others) assertShape(`${who}: landmarks`, others, [68, 2])
  if (identity) assertIdentityPrior(`${who}: identity`, identity, model)
  const { width = 224, height = 224, camera = defaultCamera } = options
  const focal = height / 2 / Math.tan(camera.fieldOfView / 2)
  const own = ((options.modelDeviation ?? MODEL_DEVIATION) * focal) / camera.distance
  const targets = new Float64Array(3 * count)
  const deviations = new Float64Array(3 * count)
  const { basis, places } = denseBasis(model, vertices)
  const openings = others ? seenOpenings(dense, others, places) : []
  const doubts = openings.length > 0 ? edgeDoubts(model, vertices, openings) : undefined
  for (let i = 0; i < count; i++) {
    targets.set([dense.positions.get(i, 0), dense.positions.get(i, 1), dense.depths[i]], 3 * i)
    const across = Math.hypot(dense.deviations[i], own, doubts?.[i] ?? 0)
    deviations.set([across, across, Math.hypot(dense.depthDeviations[i], own)], 3 * i)
    if (!(dense.deviations[i] > 0) || !(dense.depthDeviations[i] > 0))
      throw new ValueError(`${who}: point ${i} has a deviation that is not positive`)
  }
  if (!targets.every(Number.isFinite) || !deviations.every(Number.isFinite))
    throw new ValueError(`${who}: a point is not a finite number`)
  const points = {
    basis,
    places,
    numbers: 3 as const,
    targets,
    deviations,
    noise: { ...NOISE, ...options.noise },
    openings,
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

/** The expressions that open and close what was seen. */
const EDGES = { eyeRight: 'eyeBlinkRight', eyeLeft: 'eyeBlinkLeft', lips: 'jawOpen' } as const
/** Distance from the inner lips within which points were seen on them, mm. */
const LIP_REACH = 3

/** `[N]` pixels: how far points may be from where they were seen, because the edges that they belong to were seen too far apart. */
function edgeDoubts(
  model: MorphableModel,
  vertices: Int32Array,
  openings: readonly SeenOpening[],
): Float64Array {
  const doubts = new Float64Array(vertices.length)
  const { mean, expression, expressionNames = [] } = model.shape
  const at = (vertex: number) => [0, 1, 2].map((axis) => mean.data[3 * vertex + axis] as number)
  for (const { part, excess, pairs } of openings) {
    const edges = pairs.flat().map((point) => at(vertices[point]))
    const mode = expressionNames.indexOf(EDGES[part])
    const moves = (vertex: number) =>
      mode < 0 ? 0 : Math.hypot(...[0, 1, 2].map((axis) => expression.get(mode, vertex, axis)))
    const most = vertices.reduce((largest, vertex) => Math.max(largest, moves(vertex)), 0)
    vertices.forEach((vertex, i) => {
      const place = at(vertex)
      const isOnLips = edges.some(
        (edge) => Math.hypot(...edge.map((value, c) => value - place[c])) < LIP_REACH,
      )
      const share = part === 'lips' ? Number(isOnLips) : most > 0 ? moves(vertex) / most : 0
      doubts[i] = Math.max(doubts[i], excess * share)
    })
  }
  return doubts
}
