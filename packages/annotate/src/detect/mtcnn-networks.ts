import * as tfl from '@tensorflow/tfjs-layers'

/** Stages of the cascade: proposal, refinement, output. */
export const mtcnnStages = ['proposal', 'refinement', 'output'] as const

/** A stage of the cascade. */
export type MtcnnStage = (typeof mtcnnStages)[number]

/** Width and height in pixels of what each stage looks at. */
export const mtcnnSizes: Readonly<Record<MtcnnStage, number>> = { proposal: 12, refinement: 24, output: 48 }

/** Pixels between neighbouring windows of the proposal network. */
export const proposalStride = 2

/** Channels of the convolutions, their sizes, and those of the max pooling after each. The paper's pooling rounds its size up. */
const LAYERS: Record<
  MtcnnStage,
  { filters: number; size: number; pool?: [size: number, padding: 'same' | 'valid'] }[]
> = {
  proposal: [
    { filters: 10, size: 3, pool: [2, 'same'] },
    { filters: 16, size: 3 },
    { filters: 32, size: 3 },
  ],
  refinement: [
    { filters: 28, size: 3, pool: [3, 'same'] },
    { filters: 48, size: 3, pool: [3, 'valid'] },
    { filters: 64, size: 2 },
  ],
  output: [
    { filters: 32, size: 3, pool: [3, 'same'] },
    { filters: 64, size: 3, pool: [3, 'valid'] },
    { filters: 64, size: 3, pool: [2, 'same'] },
    { filters: 128, size: 2 },
  ],
}
const DENSE: Record<MtcnnStage, number | undefined> = { proposal: undefined, refinement: 128, output: 256 }

/** Makes one of the three networks of MTCNN with random weights.
 *
 * "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks" (Zhang et al., SPL 2016), figure 2: convolutions without
 * padding, PReLU, max pooling. Where the 12 x 12 network ends in 1 x 1 convolutions, it takes pictures of any size and sees a window every
 * second pixel.
 *
 * @returns a model that takes `[B, S, S, 3]` encoded colours, 0..1 (`proposal`: `[B, H, W, 3]`, at least 12 x 12), and gives three outputs, for
 *   `proposal` a map of them `[B, h, w, ...]`: `face` `[B, 2]` logits of no face and face; `box` `[B, 4]` how far the left, top, right and bottom
 *   of the face lie from those of the window, in widths of the window; `points` `[B, 10]` x, y of eyes, nose, corners of the mouth from the left top
 *   of the window, in its widths
 * @differentiable images, weights
 * @memory `model.dispose()` frees it
 */
export function createMtcnnNetwork(stage: MtcnnStage, seed = 1): tfl.LayersModel {
  let seeds = seed
  const initializer = () => tfl.initializers.heNormal({ seed: seeds++ })
  const side = stage === 'proposal' ? null : mtcnnSizes[stage]
  const input = tfl.input({ shape: [side, side, 3], name: 'image' })
  let x = tfl.layers.rescaling({ scale: 2, offset: -1, name: 'centered' }).apply(input) as tfl.SymbolicTensor
  const activate = (y: tfl.SymbolicTensor, name: string) =>
    tfl.layers
      .prelu({
        name,
        sharedAxes: y.shape.length === 4 ? [1, 2] : undefined,
        alphaInitializer: tfl.initializers.constant({ value: 0.25 }),
      })
      .apply(y) as tfl.SymbolicTensor
  for (const [i, { filters, size, pool }] of LAYERS[stage].entries()) {
    const convolution = tfl.layers.conv2d({
      name: `conv${i + 1}`,
      filters,
      kernelSize: size,
      padding: 'valid',
      kernelInitializer: initializer(),
    })
    x = activate(convolution.apply(x) as tfl.SymbolicTensor, `prelu${i + 1}`)
    if (pool) {
      const [poolSize, padding] = pool
      const layer = tfl.layers.maxPooling2d({ name: `pool${i + 1}`, poolSize, strides: 2, padding })
      x = layer.apply(x) as tfl.SymbolicTensor
    }
  }
  const width = DENSE[stage]
  if (width !== undefined) {
    x = tfl.layers.flatten({ name: 'flat' }).apply(x) as tfl.SymbolicTensor
    const dense = tfl.layers.dense({ name: 'dense', units: width, kernelInitializer: initializer() })
    x = activate(dense.apply(x) as tfl.SymbolicTensor, 'prelu_dense')
  }
  const head = (name: string, units: number) => {
    const kernelInitializer = tfl.initializers.glorotNormal({ seed: seeds++ })
    const layer =
      width === undefined
        ? tfl.layers.conv2d({ name, filters: units, kernelSize: 1, kernelInitializer })
        : tfl.layers.dense({ name, units, kernelInitializer })
    return layer.apply(x) as tfl.SymbolicTensor
  }
  return tfl.model({
    name: `mtcnn_${stage}`,
    inputs: input,
    outputs: [head('face', 2), head('box', 4), head('points', 10)],
  })
}
