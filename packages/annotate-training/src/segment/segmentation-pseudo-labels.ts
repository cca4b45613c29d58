import * as tf from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { assertInRange, assertShape, faceLabels, labelOf } from '@facekit/core'
import {
  type Points,
  type Segmenter,
  blurMask,
  faceClasses,
  faceRegion,
  mirroredLabels,
  skinProbability,
} from '@facekit/annotate'

/** Options of `pseudoLabels`. */
export interface PseudoLabelOptions {
  /** Least probability of a label that is believed. Default 0.75. */
  confidence?: number
  /** Label of pixels that nothing is known of. Default 255, which `segmentationLoss` ignores. */
  ignore?: number
}

/** Labels of a photograph that nobody has labelled, for self-training: what a segmenter is sure of and landmarks and skin colour don't
 * contradict.
 *
 * The segmenter looks at the picture, at a darker and a brighter one, and at their mirror images; the mean of its probabilities counts.
 * Within the outline of the landmarks, by some pixels, what has the colour of this face's skin is face: where the segmenter is sure
 * of something else than face or glasses, nothing is known. What it takes for face beyond the outline, by some pixels, is not known either,
 * nor what it takes for skin within, where the colour is not the skin's.
 *
 * @param segmenter - for the 19 classes of CelebAMask-HQ
 * @param image - `[S, S, 3]` encoded, 0..1, an aligned crop
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S * S]` labels or `ignore`, row by row
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when an option is out of range
 */
export async function pseudoLabels(
  segmenter: Segmenter,
  image: NdArray<Float32Array>,
  landmarks: Points,
  options: PseudoLabelOptions = {},
): Promise<Uint8Array> {
  const { confidence = 0.75, ignore = 255 } = options
  assertInRange('pseudoLabels: confidence', confidence, 0, 1)
  const { S } = assertShape('pseudoLabels: image', image, ['S', 'S', 3])
  const probabilities = await lookSeveralTimes(segmenter, image, S)
  const classes = faceLabels.length
  const face = new Set(faceClasses.map(labelOf))
  const label = { skin: labelOf('skin'), glasses: labelOf('eye_g'), mouth: labelOf('mouth') }
  const region = faceRegion(landmarks, { size: S, innerMouth: true })
  const skin = skinProbability(image, landmarks, { faceRegion: region })
  const color = blurMask(skin.data as Float32Array, S, S, Math.max(1, Math.round(S / 110)), 2)
  const outline = blurMask(region.data as Float32Array, S, S, Math.max(1, Math.round(S / 60)))
  const labels = new Uint8Array(S * S)
  for (let i = 0; i < labels.length; i++) {
    const at = i * classes
    let best = 0
    let sum = 0
    for (let c = 0; c < classes; c++) {
      if (probabilities[at + c] > probabilities[at + best]) best = c
      if (face.has(c)) sum += probabilities[at + c]
    }
    // Which part of the face it is may be less sure than that it is face.
    const sure = probabilities[at + best] >= confidence || (face.has(best) && sum >= (1 + confidence) / 2)
    const inside = outline[i] > 0.97 && skin.get(Math.floor(i / S), i % S) > 0.6
    const denied = inside && !face.has(best) && best !== label.glasses && best !== label.mouth
    const stray = outline[i] < 0.01 && face.has(best)
    const foreign = best === label.skin && outline[i] > 0.97 && color[i] < 0.1
    labels[i] = sure && !denied && !stray && !foreign ? best : ignore
  }
  return labels
}

/** Mean probabilities over six looks: `[S * S * C]`. */
async function lookSeveralTimes(
  segmenter: Segmenter,
  image: NdArray<Float32Array>,
  size: number,
): Promise<Float32Array> {
  const mean = tf.tidy(() => {
    const values = Float32Array.from({ length: size * size * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3)
      return image.get(Math.floor(pixel / size), pixel % size, i % 3)
    })
    const plain = tf.tensor4d(values, [1, size, size, 3])
    const looks = tf.concat([0.7, 1, 1.4].map((gamma) => tf.pow(plain, gamma) as tf.Tensor4D))
    const direct = tf.mean(segmenter.predict(looks), 0)
    const mirrored = tf.mean(segmenter.predict(tf.reverse(looks, 2)), 0)
    const back = tf.gather(tf.reverse(mirrored, 1), [...mirroredLabels], 2)
    return tf.div(tf.add(direct, back), 2)
  })
  const data = await mean.data()
  mean.dispose()
  return data as Float32Array
}
