import type { NdArray } from 'ndarray'
import type { DenseLandmarks } from './dense/dense-landmarks.js'
import type { Box } from './detect/box.js'
import type { Points, SimilarityTransform } from './pictures/similarity-transform.js'

/** All that is known of one face in a picture. Plain data on the CPU: nothing to dispose. */
export interface FaceAnnotation {
  /** Pixels of the original picture; may reach outside. */
  box: Box
  /** How sure the detector is, 0..1. */
  score: number
  /** `[68, 2]` pixels of the original picture, pixel centres at +0.5, in the order of iBUG / 300-W. */
  landmarks: Points
  /** Some 550 points of the base model's mesh with depths and standard deviations, unless they were not asked for. */
  denseLandmarks?: DenseLandmarks
  /** The face cut out upright. */
  alignment: {
    /** Width and height of the crop, S. */
    size: number
    /** Pixels of the original picture to pixels of the crop. */
    transform: SimilarityTransform
    /** `[S, S, 3]` encoded sRGB, 0..1; outside of the picture its border pixels are repeated. */
    image: NdArray<Float32Array>
    /** `[68, 2]` pixels of the crop. */
    landmarks: Points
  }
  /** `[S, S]` 0..1: pixels of the crop that show the face. Without the opening of the mouth and what lies outside of the
   * picture, and without hair and things in front of the face where they are evident. */
  faceRegion: NdArray<Float32Array>
  /** `[S, S]` 0..1: the opening between the lips, from landmarks 60 to 67. */
  innerMouth: NdArray<Float32Array>
  /** `[S, S]` 0..1: probability that a pixel is bare skin (p_i of MM '22, Eq. 9), nowhere above `faceRegion`. */
  skinProbability: NdArray<Float32Array>
  /** `[128]` identity features of the aligned crop, near each other for pictures of one person. */
  embedding: Float32Array
}
