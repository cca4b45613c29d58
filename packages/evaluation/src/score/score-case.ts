import { FacekitError, ValueError } from '@facekit/core'
import { applySimilarity3d, type Surface } from '@facekit/mesh'
import type { CaseTruth, EvaluationProtocol } from '../datasets/evaluation-dataset.js'
import { alignLandmarks, spreadOf } from '../measures/align-landmarks.js'
import { innerMouthError } from '../measures/inner-mouth-error.js'
import { normalizedMeanError } from '../measures/normalized-mean-error.js'
import { checkPrediction } from '../protocols/check-prediction.js'
import { checkTruth } from '../protocols/check-truth.js'
import { nowErrors, nowLandmarks } from '../protocols/now-protocol.js'
import { realyErrors, type RealyRegion } from '../protocols/realy-protocol.js'
import { type CaseScore, type Prediction, sketch } from './case-score.js'
import { pairLandmarks, pickLandmarks } from './pair-landmarks.js'
import type { MeasureName, Scores } from './score-measures.js'
import { scoreSurface } from './score-surface.js'

const REGIONS: Record<RealyRegion, MeasureName> = {
  nose: 'realyNose',
  mouth: 'realyMouth',
  forehead: 'realyForehead',
  cheek: 'realyCheek',
}

/** After a similarity landmarks of two faces are apart by less than this share of their spread: 15 mm, several times what people differ by. */
const MISFIT = 0.33

const LANDMARKS = Array.from({ length: 68 }, (_, i) => i)

/** Scores a prediction against the truth by a protocol.
 *
 * @throws {FacekitError} in one line, when it cannot be scored: no mesh, a broken or mirrored one, or nothing to compare with
 */
export function scoreCase(protocol: EvaluationProtocol, truth: CaseTruth, prediction: Prediction): CaseScore {
  const hints: string[] = []
  const result: CaseScore = { scores: {}, hints }
  if (protocol !== 'color' && protocol !== 'picture') lookAt(truth, prediction, hints)
  if (protocol === 'now' || protocol === 'now-metric') scoreNow(protocol, truth, prediction, result)
  else if (protocol === 'realy') scoreRealy(truth, prediction, result)
  else if (protocol === 'surface' && truth.scan) Object.assign(result, scoreSurface(truth, prediction, hints))
  scorePicture(truth, prediction, result.scores)
  if (protocol === 'mouth') scoreMouth(truth, prediction, result.scores)
  if (prediction.color !== undefined) result.scores.color = prediction.color
  if (Object.keys(result.scores).length === 0)
    throw new ValueError(
      'there is nothing to compare: the truth and the prediction have no surface or landmarks in common',
    )
  return result
}

/** Looks at the mesh first: what is wrong with it is said in its own words. */
function lookAt(truth: CaseTruth, prediction: Prediction, hints: string[]): void {
  if (!prediction.surface) return
  const pair = truth.landmarks && pairLandmarks(prediction.landmarks, truth.landmarks)
  const problems = checkPrediction({
    prediction: prediction.surface,
    ...(pair && { landmarks: pair.prediction, truthLandmarks: pair.truth }),
    ...(prediction.others && { others: prediction.others }),
  })
  const fatal = problems.find((problem) => problem.fatal)
  if (fatal) throw new FacekitError(`the mesh ${fatal.message}`)
  hints.push(...problems.map(({ message }) => `the mesh ${message}`))
  if (!pair) return
  const start = applySimilarity3d(alignLandmarks(pair.prediction, pair.truth), pair.prediction)
  const distances = start.map((value, i) => value - pair.truth[i])
  const apart = Math.sqrt((distances.reduce((sum, value) => sum + value ** 2, 0) * 3) / distances.length)
  if (apart > MISFIT * spreadOf(pair.truth))
    throw new ValueError(
      `the landmarks of the mesh stay ${Number(apart.toPrecision(2))} away from those of the truth: are they the same points, in the same order?`,
    )
}

function surfaceOf({ surface }: Prediction): Surface {
  if (!surface) throw new ValueError('the method gives no mesh')
  return surface
}

function scoreNow(
  protocol: EvaluationProtocol,
  truth: CaseTruth,
  prediction: Prediction,
  result: CaseScore,
): void {
  const seven = prediction.landmarks && pickLandmarks(prediction.landmarks, nowLandmarks)
  if (!truth.scan || !truth.landmarks || !seven)
    throw new ValueError(
      "NoW's seven landmarks are not known; put them beside the mesh (.txt, .npy), or pass --landmarks",
    )
  checkTruth({
    scan: truth.scan,
    landmarks: { which: nowLandmarks, positions: truth.landmarks.positions },
  })
  const { distances, summary } = nowErrors({
    scan: truth.scan,
    scanLandmarks: truth.landmarks.positions,
    prediction: surfaceOf(prediction),
    predictionLandmarks: seven,
    metric: protocol === 'now-metric',
  })
  result.scores.nowMedian = summary.median
  result.scores.nowMean = summary.mean
  Object.assign(result, sketch(distances))
}

function scoreRealy({ realy }: CaseTruth, prediction: Prediction, result: CaseScore): void {
  if (!realy) throw new ValueError('the truth has no regions')
  const predictionKeypoints = prediction.keypoints ?? keypointsOf(prediction, result.hints)
  const errors = realyErrors({ ...realy, prediction: surfaceOf(prediction), predictionKeypoints })
  let sum = 0
  for (const [region, { error }] of Object.entries(errors)) {
    result.scores[REGIONS[region as RealyRegion]] = error
    sum += error
  }
  result.scores.realyMean = sum / Object.keys(errors).length
  Object.assign(
    result,
    sketch(Float64Array.from(Object.values(errors).flatMap(({ distances }) => [...distances]))),
  )
}

/** REALY's 85 keypoints among the landmarks of a mesh; of the last 17 a mesh may lack some. */
function keypointsOf({ landmarks }: Prediction, hints: string[]): Float64Array {
  const first = landmarks && pickLandmarks(landmarks, LANDMARKS)
  if (!first) throw new ValueError('the 68 landmarks of the mesh are not known; pass --landmarks')
  const keypoints = new Float64Array(85 * 3).fill(Number.NaN)
  keypoints.set(first)
  const further = landmarks.which.filter((keypoint) => keypoint >= LANDMARKS.length)
  for (const keypoint of further) keypoints.set(pickLandmarks(landmarks, [keypoint])!, 3 * keypoint)
  if (further.length < 17)
    hints.push(`REALY's last 17 keypoints: ${17 - further.length} are not known and are left out`)
  return keypoints
}

function scorePicture(
  { pictureLandmarks: truth }: CaseTruth,
  { pictureLandmarks: found }: Prediction,
  scores: Scores,
) {
  if (!truth || !found) return
  for (const [measure, normalization] of [
    ['nmeBox', 'box'],
    ['nmeInterocular', 'interocular'],
    ['nmeInterpupil', 'interpupil'],
    ['nmeDiagonal', 'diagonal'],
  ] as const)
    scores[measure] = 100 * normalizedMeanError(found, truth, normalization)
}

function scoreMouth(truth: CaseTruth, prediction: Prediction, scores: Scores): void {
  const pair = truth.landmarks && pairLandmarks(prediction.landmarks, truth.landmarks)
  if (pair?.truth.length !== 204) return
  scores.innerMouth = innerMouthError(pair.prediction, pair.truth)
}
