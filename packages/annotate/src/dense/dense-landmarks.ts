import type { Points } from '../pictures/similarity-transform.js'

/** Points of the base model's mesh as a network sees them in a picture, hidden ones too. Plain data on the CPU.
 *
 * Point k is vertex `model.denseLandmarks[k]` of the base model; the first 68 are `model.landmarks`, fixed points of the mesh.
 */
export interface DenseLandmarks {
  /** `[N, 2]` pixels of the original picture, pixel centres at +0.5; may lie outside. */
  positions: Points
  /** `[N]` pixels: standard deviation of each position along any direction. */
  deviations: Float32Array
  /** `[N]` pixels towards the camera, relative to the mean of the N points, as large as the positions' (a weak perspective). */
  depths: Float32Array
  /** `[N]` pixels: standard deviations of the depths. */
  depthDeviations: Float32Array
  /** `[68, 2]` pixels of the original picture, in the order of iBUG / 300-W: the jaw on the outline that is seen, the other points those of
   * `positions`. */
  landmarks: Points
  /** What the picture says of the identity coefficients of a model, in standard deviations: mean and standard deviation of each, and the name of
   * the model, if it is known. */
  identity?: { mean: Float32Array; deviations: Float32Array; model?: string }
}
