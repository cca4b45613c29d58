import { ValueError } from '@facekit/core'
import { applySimilarity3d, type Similarity3d, type Surface, surfaceTarget } from '@facekit/mesh'
import type { CaseTruth, SpaceLandmarks } from '../datasets/evaluation-dataset.js'
import { alignIcp, rowsOf, usedVertices } from '../measures/align-icp.js'
import { alignLandmarks } from '../measures/align-landmarks.js'
import { identitySimilarity, invertSimilarity } from '../measures/compose-similarities.js'
import { correspondenceError } from '../measures/correspondence-error.js'
import { pointToPlane, pointToSurface } from '../measures/surface-distances.js'
import { cosineOf, frontDirection } from '../measures/front-direction.js'
import { summarize } from '../measures/summarize.js'
import { checkTruth } from '../protocols/check-truth.js'
import { nowRegion, verticesWithin } from '../protocols/now-protocol.js'
import { pairLandmarks, pickLandmarks } from './pair-landmarks.js'
import { type CaseScore, movedBy, type Prediction, sketch } from './case-score.js'

/** Around the tip of the nose, mm: the face without ears and neck, which meshes end in different places of. */
const RADIUS = 95
/** Normals of pairs agree to this angle: the inside of a mouth is not paired with its outside. */
const MAX_ANGLE = Math.PI / 3
const NOSE_TIP = 30
/** Around it, mm: the front of the face, whose triangles look forwards in all meshes. */
const FRONT = 50

/** ICP from landmarks, then distances from the scan's face to the prediction; and correspondences where landmarks or the topology allow them. */
export function scoreSurface(
  truth: CaseTruth,
  prediction: Prediction,
  hints: string[],
): Pick<CaseScore, 'scores' | 'quantiles' | 'points' | 'map'> {
  const scan = truth.scan!
  const face = prediction.surface
  if (!face) throw new ValueError('the method gives no mesh')
  checkTruth(truth)
  const pair = truth.landmarks && pairLandmarks(prediction.landmarks, truth.landmarks)
  if (!pair)
    hints.push(
      'landmarks of the scan or the mesh are not known: they start nose on nose, y up, z out of the face',
    )
  const start = pair ? alignLandmarks(pair.prediction, pair.truth) : noseOnNose(face, scan)
  const center = noseOf(truth.landmarks, scan)
  const used = new Set(usedVertices(scan.triangles))
  const vertices = verticesWithin(scan, center, RADIUS).filter((vertex) => used.has(vertex))
  if (vertices.length < 100)
    throw new ValueError(
      `the scan has ${vertices.length} vertices within ${RADIUS} mm of its nose, expected at least 100; is it in mm?`,
    )
  const there = movedBy(face, start)
  if (cosineOf(frontDirection(there, center, FRONT), frontDirection(scan, center, FRONT)) < -0.5)
    throw new ValueError(
      'the triangles of the mesh face inwards, or it is mirrored: reverse the order of their corners, or flip one axis',
    )
  const { similarity, scaleAtLimit } = alignIcp(face, scan, {
    start,
    vertices,
    maxAngle: MAX_ANGLE,
    iterations: 50,
  })
  if (scaleAtLimit)
    hints.push(
      'the scale has reached the end of its range: the mesh and its landmarks do not belong together',
    )
  const moved = surfaceTarget(movedBy(face, similarity))
  const points = rowsOf(scan.positions, vertices)
  const planes = pointToPlane(points, moved, { border: false })
  const distances = pointToSurface(points, moved, { border: false })
  const seen = planes.filter((value) => !Number.isNaN(value)).length
  if (seen < 0.65 * planes.length)
    hints.push(`${Math.round((100 * seen) / planes.length)} % of the scan's face lie over the mesh`)
  if (seen < 100)
    throw new ValueError(
      'less than 100 vertices of the scan lie over the mesh; are both of a face, in the same space?',
    )
  const back = pointToSurface(
    rowsOf(moved.positions, verticesWithin(moved, center, RADIUS)),
    surfaceTarget(scan),
    { border: false },
  )
  const scores: CaseScore['scores'] = {
    pointToPlane: summarize(planes).mean,
    pointToSurface: summarize(distances).mean,
    chamfer: (summarize(distances).mean + summarize(back).mean) / 2,
  }
  if (pair) scores.landmarks = landmarkScore(pair)
  const sameTopology =
    face.positions.length === scan.positions.length &&
    face.triangles.length === scan.triangles.length &&
    face.triangles.every((vertex, i) => vertex === scan.triangles[i])
  if (sameTopology) {
    const own = rowsOf(face.positions, vertices)
    scores.correspondence = summarize(
      correspondenceError(own, points, { similarity: alignLandmarks(own, points) }),
    ).mean
  }
  return { scores, ...sketch(planes), map: mapOf(scan, vertices, planes, similarity) }
}

/** Mean distance of the landmarks inside of the face after a similarity of their own: models place those of the jaw differently. */
function landmarkScore({ which, prediction, truth }: NonNullable<ReturnType<typeof pairLandmarks>>): number {
  const inner = which.filter((landmark) => landmark >= 17)
  const [from, to] = [prediction, truth].map((positions) => pickLandmarks({ which, positions }, inner)!)
  return summarize(correspondenceError(from, to, { similarity: alignLandmarks(from, to) })).mean
}

function noseOf(landmarks: SpaceLandmarks | undefined, scan: Surface): ArrayLike<number> {
  if (!landmarks) return foremost(scan)
  const tip = pickLandmarks(landmarks, [NOSE_TIP])
  return tip ?? nowRegion(landmarks.positions).center
}

/** Translates the foremost point of one face to that of the other. */
function noseOnNose(face: Surface, scan: Surface): Similarity3d {
  const [a, b] = [foremost(face), foremost(scan)]
  return { ...identitySimilarity, translation: [b[0] - a[0], b[1] - a[1], b[2] - a[2]] }
}

function foremost({ positions, triangles }: Surface): [number, number, number] {
  const best = usedVertices(triangles).reduce((top, v) =>
    positions[v * 3 + 2] > positions[top * 3 + 2] ? v : top,
  )
  return [positions[best * 3], positions[best * 3 + 1], positions[best * 3 + 2]]
}

/** The part of the scan that counted, in the space of the prediction. */
function mapOf(scan: Surface, vertices: Int32Array, errors: Float64Array, similarity: Similarity3d) {
  const place = new Map(Array.from(vertices, (vertex, i) => [vertex, i]))
  const triangles: number[] = []
  for (let t = 0; t < scan.triangles.length; t += 3) {
    const corners = [0, 1, 2].map((k) => place.get(scan.triangles[t + k]))
    if (corners.every((corner) => corner !== undefined)) triangles.push(...(corners as number[]))
  }
  const positions = applySimilarity3d(invertSimilarity(similarity), rowsOf(scan.positions, vertices))
  return { surface: { positions, triangles: Int32Array.from(triangles) }, errors }
}
