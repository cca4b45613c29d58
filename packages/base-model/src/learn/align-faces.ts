import { Matrix, solve } from 'ml-matrix'
import { alignPoints, moveAligned } from './align-points.js'
import { CONTROL_COUNT, type LearningTemplate } from './learning-template.js'
import type { ObservedPerson } from './observe-people.js'

/** A face in the model's space, its pose taken out. */
export interface AlignedFace {
  person: number
  clip: string
  /** Index within the person's photographs. */
  index: number
  /** `[468 * 3]` mm: difference from the mean of all, without what the head's turn explains. */
  deviation: Float64Array
  /** Direction of the face, radians: to +x, and up. */
  yaw: number
  pitch: number
  /** `[9]` from the photograph's axes (x right, y up, z to the camera) to the model's. */
  rotation: Float64Array
  /** Millimetres of the model a pixel. */
  scale: number
  /** Outer eye corners' distance in the photograph, pixels. */
  resolution: number
  /** Distance of the inner lips in their middle, mm. */
  mouthOpening: number
}

/** All faces aligned. */
export interface AlignedFaces {
  faces: AlignedFace[]
  /** `[468 * 3]` mm, mirror-symmetric. */
  mean: Float64Array
  /** Share of the variance between photographs that the turn of the head explained. */
  poseShare: number
}

const ROUNDS = 3
/** Faces of which the network is less sure than this are left out. */
const LEAST_SCORE = 0.5

/** What a turned head does to the network's points: a polynomial without a constant. */
const poseFeatures = (yaw: number, pitch: number) => [
  yaw,
  pitch,
  yaw * yaw,
  yaw * pitch,
  pitch * pitch,
  yaw ** 3,
  pitch ** 3,
  yaw * yaw * pitch,
  yaw * pitch * pitch,
]

/** Mirror image of a field at -x. */
export function mirrored(field: ArrayLike<number>, mirror: ArrayLike<number>): Float64Array {
  const result = new Float64Array(field.length)
  for (let i = 0; i < mirror.length; i++) {
    const j = mirror[i]
    result[i * 3] = -field[j * 3]
    result[i * 3 + 1] = field[j * 3 + 1]
    result[i * 3 + 2] = field[j * 3 + 2]
  }
  return result
}

/** Brings all faces into the model's space (generalised Procrustes) and takes out what depends on the turn of the head:
 * a polynomial in yaw and pitch, regressed on the differences between photographs of one person and their mirror images. */
export function alignFaces(people: readonly ObservedPerson[], template: LearningTemplate): AlignedFaces {
  const { control, controlArea, controlMirror } = template
  const upright: {
    face: Omit<AlignedFace, 'deviation' | 'yaw' | 'pitch' | 'rotation' | 'scale'>
    points: Float64Array
  }[] = []
  people.forEach(({ faces }, person) => {
    faces.forEach(({ points, score, clip }, index) => {
      if (score < LEAST_SCORE || !points.every(Number.isFinite)) return
      const turned = Float64Array.from(points, (value, i) => (i % 3 === 0 ? value : -value))
      const resolution = Math.hypot(...[0, 1, 2].map((c) => points[263 * 3 + c] - points[33 * 3 + c]))
      upright.push({ face: { person, clip, index, resolution, mouthOpening: 0 }, points: turned })
    })
  })
  let mean: Float64Array = control.slice()
  let aligned: { points: Float64Array; rotation: Float64Array; scale: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    aligned = upright.map(({ points }) => {
      const alignment = alignPoints(points, mean, controlArea)
      return { points: moveAligned(alignment, points), rotation: alignment.rotation, scale: alignment.scale }
    })
    const sum = new Float64Array(CONTROL_COUNT * 3)
    for (const { points } of aligned)
      for (let i = 0; i < sum.length; i++) sum[i] += points[i] / aligned.length
    const image = mirrored(sum, controlMirror)
    const next = sum.map((value, i) => (value + image[i]) / 2)
    mean = moveAligned(alignPoints(next, control, controlArea), next)
  }
  const faces = upright.map(({ face }, f): AlignedFace => {
    const { points, rotation, scale } = aligned[f]
    return {
      ...face,
      rotation,
      scale,
      deviation: points.map((value, i) => value - mean[i]),
      yaw: Math.atan2(rotation[6], rotation[8]),
      pitch: Math.atan2(rotation[7], Math.hypot(rotation[6], rotation[8])),
    }
  })
  const poseShare = takeOutPose(faces, controlMirror, controlArea)
  for (const face of faces) {
    const lip = (vertex: number) =>
      [0, 1, 2].map((c) => mean[vertex * 3 + c] + face.deviation[vertex * 3 + c])
    const [upper, lower] = [lip(13), lip(14)]
    face.mouthOpening = Math.hypot(...upper.map((value, c) => value - lower[c]))
  }
  return { faces, mean, poseShare }
}

function takeOutPose(faces: readonly AlignedFace[], mirror: Int32Array, area: Float64Array): number {
  const width = CONTROL_COUNT * 3
  const featureCount = poseFeatures(0, 0).length
  const normal = Matrix.zeros(featureCount, featureCount)
  const right = Matrix.zeros(featureCount, width)
  const byPerson = new Map<number, AlignedFace[]>()
  for (const face of faces) byPerson.set(face.person, [...(byPerson.get(face.person) ?? []), face])
  for (const group of byPerson.values()) {
    for (const flip of [false, true]) {
      const features = group.map(({ yaw, pitch }) => poseFeatures(flip ? -yaw : yaw, pitch))
      const fields = group.map(({ deviation }) => (flip ? mirrored(deviation, mirror) : deviation))
      const center = (rows: readonly ArrayLike<number>[]) =>
        Array.from(
          { length: rows[0].length },
          (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length,
        )
      const [featureMean, fieldMean] = [center(features), center(fields)]
      group.forEach((_, f) => {
        for (let a = 0; a < featureCount; a++) {
          const value = features[f][a] - featureMean[a]
          for (let b = 0; b < featureCount; b++) {
            normal.set(a, b, normal.get(a, b) + value * (features[f][b] - featureMean[b]))
          }
          for (let i = 0; i < width; i++)
            right.set(a, i, right.get(a, i) + value * (fields[f][i] - fieldMean[i]))
        }
      })
    }
  }
  for (let a = 0; a < featureCount; a++) normal.set(a, a, normal.get(a, a) * (1 + 1e-3) + 1e-6)
  const effect = solve(normal, right).to2DArray()
  const power = () => faces.reduce((sum, { deviation }) => sum + squaredNorm(deviation, area), 0)
  const before = power()
  for (const { deviation, yaw, pitch } of faces) {
    const features = poseFeatures(yaw, pitch)
    for (let i = 0; i < width; i++) {
      for (let a = 0; a < featureCount; a++) deviation[i] -= features[a] * effect[a][i]
    }
  }
  return before > 0 ? 1 - power() / before : 0
}

/** Mean square over the surface of a field's length. */
function squaredNorm(field: ArrayLike<number>, area: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < field.length; i++) sum += area[Math.floor(i / 3)] * field[i] * field[i]
  return sum
}
