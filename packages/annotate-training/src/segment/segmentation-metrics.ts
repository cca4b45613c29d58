import { assertInteger, ShapeError } from '@facekit/core'

/** How well labels of pixels agree. */
export interface SegmentationScore {
  /** Share of pixels that are right. */
  accuracy: number
  /** Intersection over union of each class; NaN for one that occurs neither in the truth nor in the prediction. */
  iou: number[]
  /** Mean of `iou` over the classes that occur. */
  meanIou: number
}

/** Counts pixels by true and predicted label, over as many pictures as are added. */
export interface SegmentationCounter {
  /** `[C * C]`: pixels of true label t and predicted label p at `t * C + p`. */
  readonly counts: Float64Array
  /** Adds pixels.
   *
   * @param truth - labels; `ignore` and others out of range don't count
   * @param prediction - as many labels
   * @throws {ShapeError} when the lengths differ
   */
  add(truth: ArrayLike<number>, prediction: ArrayLike<number>): void
  /** Scores of what was added. */
  score(): SegmentationScore
  /** Intersection over union of a group of classes taken as one, such as all that is face. */
  groupIou(labels: readonly number[]): number
}

/** Makes a counter for labels 0..classes-1; see `SegmentationCounter`.
 *
 *     IoU_c = n_cc / (sum_p n_cp + sum_t n_tc - n_cc)
 *
 * @example
 * const counter = createSegmentationCounter(2)
 * counter.add([0, 0, 1, 1], [0, 1, 1, 1])
 * counter.score() // accuracy 0.75, iou [0.5, 0.667], meanIou 0.583
 */
export function createSegmentationCounter(classes: number): SegmentationCounter {
  assertInteger('createSegmentationCounter: classes', classes, 1, 4096)
  const counts = new Float64Array(classes * classes)
  const isLabel = (value: number) => value >= 0 && value < classes
  return {
    counts,
    add(truth, prediction) {
      if (truth.length !== prediction.length) {
        throw new ShapeError(
          `SegmentationCounter.add: ${prediction.length} predicted labels, expected ${truth.length}`,
        )
      }
      for (let i = 0; i < truth.length; i++) {
        if (isLabel(truth[i]) && isLabel(prediction[i])) counts[truth[i] * classes + prediction[i]]++
      }
    },
    score() {
      const labels = Array.from({ length: classes }, (_, c) => c)
      const iou = labels.map((label) => groupIou(counts, classes, [label]))
      const present = iou.filter((value) => !Number.isNaN(value))
      const right = labels.reduce((sum, c) => sum + counts[c * classes + c], 0)
      const total = counts.reduce((sum, count) => sum + count, 0)
      return {
        accuracy: right / total,
        iou,
        meanIou: present.reduce((sum, value) => sum + value, 0) / present.length,
      }
    },
    groupIou: (labels) => groupIou(counts, classes, labels),
  }
}

function groupIou(counts: Float64Array, classes: number, labels: readonly number[]): number {
  const inGroup = new Set(labels)
  let both = 0
  let either = 0
  for (let truth = 0; truth < classes; truth++) {
    for (let prediction = 0; prediction < classes; prediction++) {
      const hits = Number(inGroup.has(truth)) + Number(inGroup.has(prediction))
      if (hits > 0) either += counts[truth * classes + prediction]
      if (hits === 2) both += counts[truth * classes + prediction]
    }
  }
  return either === 0 ? Number.NaN : both / either
}
