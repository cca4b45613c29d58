import type { SymbolicTensor } from '@tensorflow/tfjs-layers'

/** What a backbone is told when it is built. */
export interface BackboneContext {
  /** Side S of the pictures, pixels. */
  inputSize: number
  /** A seed for the next layer's random weights, another one at each call; `undefined`: weights come from a file, zeros will do. */
  nextSeed(): number | undefined
}

/** The part of a regressor that turns a picture into features; bring your own by writing these members. */
export interface Backbone {
  /** Stored with the weights; a file is refused by a backbone of another name. */
  readonly name: string
  /** Values that `images` have for a picture of 0..1: `(picture - mean) / deviation` for each channel. Default: means of 0.5, deviations of 0.25. */
  readonly normalization?: { mean: readonly [number, number, number]; deviation: number }
  /** Builds the layers. Give each a name of its own: weights are stored under it.
   *
   * @param images - `[B, S, S, 3]` normalised
   * @returns features `[B, C]`, or `[B, H, W, C]`, of which the mean over the pixels is taken
   */
  build(images: SymbolicTensor, context: BackboneContext): SymbolicTensor
}
