import { applyTransform, invertTransform, type FaceAnnotation } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import type { ParameterTree } from '@facekit/parameters'
import type { Camera } from '@facekit/render'
import ndarray, { type NdArray } from 'ndarray'
import { eyeGeometry } from './eye-geometry.js'
import { evaluatePoints, pointBasis } from './landmarks/point-basis.js'
import { POSE_SIZE, poseMatrices } from './landmarks/pose-matrices.js'
import { projectPoints } from './landmarks/project-points.js'

/** Mean and standard deviation of the diameter of people's irises, mm: nearly the same for everybody. */
const IRIS_DIAMETER = 11.7
const IRIS_DEVIATION = 0.5

type Vector = [number, number, number]

/** What the iris says of the size of things: a photograph alone does not tell a near small head from a far large one. */
export interface MetricSize {
  /** Real millimetres for a millimetre of the mesh (without its pose), from an iris of 11.7 mm. */
  scale: number
  /** Standard deviation of `scale`: how people's irises differ, and how well these were seen. */
  deviation: number
  /** Real millimetres from the camera to the head's origin. */
  distance: number
}

/** Where things of a fitted head are in its photograph. */
export interface HeadGeometry {
  /** `[68, 3]` x and y in pixels of the original picture, and z towards the camera in the same unit, relative to the mean of the 68: fixed points of the mesh,
   * hidden ones too (the convention of AFLW2000-3D). */
  landmarks3d: NdArray<Float32Array>
  /** Unit vectors in which the subject's eyes look, in the camera's space (x right, y up, z to the camera); absent where the model has no eyes. */
  gaze?: { left: Vector; right: Vector }
  /** Absent where no iris was seen: without dense landmarks. */
  metric?: MetricSize
}

/** Measures one fitted head in its photograph.
 *
 * @param face - its parameters
 */
export function headGeometry(
  face: ParameterTree<Float32Array>,
  annotation: FaceAnnotation,
  model: MorphableModel,
  camera: Camera,
): HeadGeometry {
  const { rotation, translation, scale } = face.pose
  const state = Float64Array.of(
    ...rotation,
    ...translation,
    Math.log(scale[0]),
    0,
    ...face.identity,
    ...face.expression,
  )
  const { size, transform } = annotation.alignment
  const project = (vertices: ArrayLike<number>) => {
    const basis = pointBasis(
      model,
      Array.from(vertices, (vertex) => [vertex]),
    )
    const chosen = Int32Array.from(basis.candidates, ([row]) => row)
    return projectPoints(basis, state, chosen, { camera, width: size, height: size, numbers: 3 })
  }
  const seen = project(model.landmarks)
  const flat = applyTransform(
    invertTransform(transform),
    ndarray(
      Float32Array.from({ length: 136 }, (_, i) => seen[3 * (i >> 1) + (i & 1)]),
      [68, 2],
    ),
  )
  const landmarks3d = ndarray(new Float32Array(204), [68, 3])
  for (let i = 0; i < 68; i++)
    landmarks3d.data.set([flat.get(i, 0), flat.get(i, 1), seen[3 * i + 2] / transform.scale], 3 * i)
  const eyes = eyesOf(model, state.subarray(POSE_SIZE))
  if (!eyes) return { landmarks3d }
  const { matrix } = poseMatrices(state)
  const turn = (v: readonly number[]) => {
    const turned = [0, 1, 2].map((row) =>
      [0, 1, 2].reduce((sum, axis) => sum + matrix[3 * row + axis] * v[axis], 0),
    )
    const length = Math.hypot(...turned)
    return turned.map((value) => value / length) as Vector
  }
  const gaze = { left: turn(eyes.left.gaze), right: turn(eyes.right.gaze) }
  const dense = annotation.denseLandmarks
  const ratio = dense && model.denseLandmarks && irisRatio(model, annotation, project)
  if (!ratio) return { landmarks3d, gaze }
  const diameter = (eyes.left.irisDiameter + eyes.right.irisDiameter) / 2
  const metric = IRIS_DIAMETER / (diameter * ratio.mean)
  const origin = [0, 1, 2].reduce((sum, axis) => sum + matrix[6 + axis] * translation[axis], 0)
  return {
    landmarks3d,
    gaze,
    metric: {
      scale: metric,
      deviation: metric * Math.hypot(IRIS_DEVIATION / IRIS_DIAMETER, ratio.deviation / ratio.mean),
      distance: ((camera.distance - origin) * metric) / scale[0],
    },
  }
}

/** Both eyes, from their own vertices alone. */
function eyesOf(model: MorphableModel, coefficients: Float64Array): ReturnType<typeof eyeGeometry> {
  const { eyeLeft = [], eyeRight = [] } = model.regions ?? {}
  const vertices = [...eyeLeft, ...eyeRight]
  const basis = pointBasis(
    model,
    vertices.map((vertex) => [vertex]),
  )
  const places = evaluatePoints(basis, coefficients)
  const all = new Float64Array(3 * model.vertexCount)
  vertices.forEach((vertex, i) => {
    const row = 3 * basis.candidates[i][0]
    all.set(places.subarray(row, row + 3), 3 * vertex)
  })
  return eyeGeometry(model, all)
}

/** How much larger the irises were seen than those of the fitted head, by the points on each of them. */
function irisRatio(
  model: MorphableModel,
  { denseLandmarks: dense, alignment: { transform } }: FaceAnnotation,
  project: (vertices: ArrayLike<number>) => Float64Array,
): { mean: number; deviation: number } | undefined {
  const { iris = [], eyeLeft = [], eyeRight = [] } = model.regions ?? {}
  const vertices = model.denseLandmarks!
  const isIris = new Set(iris)
  let [sum, precision] = [0, 0]
  for (const eye of [new Set(eyeLeft), new Set(eyeRight)]) {
    const own = Array.from(vertices.keys()).filter((k) => isIris.has(vertices[k]) && eye.has(vertices[k]))
    if (own.length < 3) continue
    const fitted = project(own.map((k) => vertices[k]))
    const seen = applyTransform(
      transform,
      ndarray(
        Float32Array.from({ length: 2 * own.length }, (_, i) => dense!.positions.get(own[i >> 1], i & 1)),
        [own.length, 2],
      ),
    )
    let [across, along, variance] = [0, 0, 0]
    for (const axis of [0, 1]) {
      const a = own.map((_, i) => fitted[3 * i + axis])
      const b = own.map((_, i) => seen.get(i, axis))
      const [meanA, meanB] = [a, b].map(
        (list) => list.reduce((total, value) => total + value, 0) / own.length,
      )
      a.forEach((value, i) => {
        across += (value - meanA) * (b[i] - meanB)
        along += (value - meanA) ** 2
        variance += ((value - meanA) * dense!.deviations[own[i]] * transform.scale) ** 2
      })
    }
    // Points that fall together, e.g. of an eye that is hidden, tell no size.
    if (!(along > 0) || !(across > 0)) continue
    const weight = along ** 2 / Math.max(variance, 1e-12)
    sum += (weight * across) / along
    precision += weight
  }
  if (precision === 0) return undefined
  return { mean: sum / precision, deviation: 1 / Math.sqrt(precision) }
}
