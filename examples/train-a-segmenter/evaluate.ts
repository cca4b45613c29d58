import { faceLabels, labelOf } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { type Segmenter, faceClasses } from '@facekit/annotate'
import { createSegmentationCounter } from '@facekit/annotate-training'
import type { PictureArray } from '@facekit/export'
import type { BatchSource } from '@facekit/trainer'
import type { LabelledBatch } from './batches.js'

/** The first pictures of a source, to measure by. */
export async function holdOut(source: BatchSource<LabelledBatch>, batches: number): Promise<LabelledBatch[]> {
  const kept: LabelledBatch[] = []
  for (let i = 0; i < batches; i++) kept.push(await source.next())
  return kept
}

/** Intersection over union: of the face, mean of the classes, and of each class. */
export async function evaluateSegmenter(
  segmenter: Segmenter,
  heldOut: readonly LabelledBatch[],
): Promise<Record<string, number>> {
  const counter = createSegmentationCounter(faceLabels.length)
  for (const [images, labels] of heldOut) {
    // The network's own resolution is that of the truth divided by two: compare where the truth is known.
    const best = tf.tidy(() => tf.argMax(segmenter.predict(images), 3))
    counter.add(await labels.data(), await best.data())
    best.dispose()
  }
  const { iou, meanIou, accuracy } = counter.score()
  const classes = faceLabels.map((name, c) => [`iou ${name}`, iou[c]] as const)
  return {
    faceIou: counter.groupIou(faceClasses.map(labelOf)),
    meanIou,
    accuracy,
    ...Object.fromEntries(classes.filter(([, value]) => !Number.isNaN(value))),
  }
}

/** How often each class occurs, for `classWeights`. */
export async function classFrequencies(heldOut: readonly LabelledBatch[]): Promise<Float64Array> {
  const counts = new Float64Array(faceLabels.length)
  for (const [, labels] of heldOut)
    for (const label of await labels.data()) if (label < counts.length) counts[label]++
  return counts
}

/** A colour for each class. */
export const labelColors: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [230, 170, 130],
  [240, 120, 90],
  [60, 220, 255],
  [80, 80, 255],
  [40, 40, 200],
  [140, 70, 30],
  [110, 50, 20],
  [255, 200, 80],
  [230, 180, 60],
  [255, 255, 255],
  [230, 40, 90],
  [190, 20, 60],
  [90, 50, 140],
  [255, 90, 255],
  [160, 255, 60],
  [255, 255, 0],
  [60, 160, 90],
  [120, 120, 130],
]

/** Each picture beside its labels, the truth's beside the prediction's when there is one: `[H, W, 3]`, `columns` pictures in a row. */
export function drawSheet(
  pictures: readonly { image: ArrayLike<number>; labels: readonly ArrayLike<number>[] }[],
  size: number,
  columns: number,
): PictureArray {
  const tiles = 1 + pictures[0].labels.length
  const rows = Math.ceil(pictures.length / columns)
  const sheet = ndarray(new Uint8Array(rows * size * columns * tiles * size * 3), [
    rows * size,
    columns * tiles * size,
    3,
  ])
  pictures.forEach(({ image, labels }, index) => {
    const [top, left] = [Math.floor(index / columns) * size, (index % columns) * tiles * size]
    for (let i = 0; i < size * size; i++) {
      const [y, x] = [top + Math.floor(i / size), left + (i % size)]
      for (let c = 0; c < 3; c++) {
        const value = image[3 * i + c] * 255
        sheet.set(y, x, c, value)
        labels.forEach((of, k) => {
          const color = labelColors[of[i]]?.[c] ?? 255 * ((i ^ (i / size)) & 1)
          sheet.set(y, x + (k + 1) * size, c, of[i] === 0 ? 0.35 * value : 0.45 * value + 0.55 * color)
        })
      }
    }
  })
  return sheet
}
