import { ValueError } from '@facekit/core'
import { surfaceTarget } from '@facekit/mesh'
import type { CaseTruth } from '../datasets/evaluation-dataset.js'
import { usedVertices } from '../measures/align-icp.js'
import { quantileOf } from '../measures/summarize.js'
import { pointToSurface } from '../measures/surface-distances.js'
import { pickLandmarks } from '../score/pair-landmarks.js'

/** Outer corners of the eyes among the 68 landmarks. */
const EYES = [36, 45]
/** How far apart they are, mm: of children and adults 70 to 110, and something more for landmarks that are badly placed. */
const BETWEEN_EYES = [50, 160] as const
/** How large a scan is at least and at most, mm: from a face to a whole body. */
const EXTENT = [60, 2500] as const
/** Half of the landmarks lie nearer to the scan than this, mm; those of the jaw may lie beyond its border. */
const OFF = 10

/** Units by their millimetres. */
const UNITS = [
  [1000, 'metres'],
  [10, 'centimetres'],
  [0.001, 'micrometres'],
] as const

/** Looks at the truth before anything is compared with it: a scan in another unit, or landmarks that do not belong to it, would give a score that means nothing.
 *
 * @throws {ValueError} when the scan is no face in mm, or its landmarks lie elsewhere
 */
export function checkTruth({ scan, landmarks }: CaseTruth): void {
  // Lost ones have words of their own.
  if (landmarks && !landmarks.positions.every(Number.isFinite)) return
  const eyes = landmarks && pickLandmarks(landmarks, EYES)
  if (eyes) {
    const distance = Math.hypot(eyes[0] - eyes[3], eyes[1] - eyes[4], eyes[2] - eyes[5])
    checkSize(
      distance,
      BETWEEN_EYES,
      "the outer corners of the truth's eyes are",
      'apart, expected about 90 mm',
    )
  }
  if (!scan) return
  const used = usedVertices(scan.triangles)
  if (!landmarks) {
    const sizes = [0, 1, 2].map((axis) => {
      const values = Array.from(used, (vertex) => scan.positions[vertex * 3 + axis])
      return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
    })
    return checkSize(Math.max(...sizes), EXTENT, 'the scan is', 'large, expected that of a head in mm')
  }
  const distances = pointToSurface(landmarks.positions, surfaceTarget(scan)).sort()
  const median = quantileOf(distances, 0.5)
  if (median > OFF)
    throw new ValueError(
      `half of the truth's landmarks lie more than ${Number(median.toPrecision(2))} mm off the scan: do they belong to it, in the same unit and axes?`,
    )
}

function checkSize(
  size: number,
  [least, most]: readonly [number, number],
  what: string,
  expected: string,
): void {
  if (size >= least && size <= most) return
  const unit = UNITS.find(([factor]) => size * factor >= least && size * factor <= most)
  const question = unit ? `: ${unit[1]}? multiply scan and landmarks by ${unit[0]}` : ''
  throw new ValueError(`${what} ${Number(size.toPrecision(2))} ${expected}${question}`)
}
