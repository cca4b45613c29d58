/** How a convolution of `NetworkOperations` moves, and what follows it. */
export interface BlockConvolution {
  /** Default 1. */
  stride?: number
  /** Default false. */
  relu?: boolean
}

/** What the dense landmark network is built of, over tensors of any kind: those of a training, those of inference, or only their shapes. Each
 * convolution is normalised (by its batch in training); its name says whose weights it takes. */
export interface NetworkOperations<T> {
  /** `size` x `size`, all channels. Default size 1. */
  convolve(x: T, name: string, filters: number, options?: BlockConvolution & { size?: number }): T
  /** Each channel by itself. `'whole'`: one number for each pixel and channel, over the whole picture. */
  convolveDepthwise(x: T, name: string, size: number | 'whole', options?: BlockConvolution): T
  /** Twice as wide and high, each pixel four times. */
  enlarge(x: T): T
  add(a: T, b: T): T
  channels(x: T): number
}
