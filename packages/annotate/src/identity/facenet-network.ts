import * as tfl from '@tensorflow/tfjs-layers'
import { assertInteger, ValueError } from '@facekit/core'

/** The shape of a `FaceNet`. */
export interface FaceNetOptions {
  /** Width and height of the pictures that the network looks at. Default 96. */
  inputSize?: number
  /** Length D of an embedding. Default 128. */
  length?: number
  /** Channels of each stage; every stage halves the picture. Default `[32, 64, 128, 256]`. */
  widths?: readonly number[]
  /** Residual blocks of each stage. Default 2. */
  blocks?: number
  /** Of the first weights. Default 1. */
  seed?: number
}

/** Checks the shape of a network and fills in what was left out. */
export function checkFaceNet(options: FaceNetOptions): Required<FaceNetOptions> {
  const { inputSize = 96, length = 128, widths = [32, 64, 128, 256], blocks = 2, seed = 1 } = options
  assertInteger('createFaceNet: inputSize', inputSize, 16, 1024)
  assertInteger('createFaceNet: length', length, 1, 4096)
  assertInteger('createFaceNet: blocks', blocks, 1, 100)
  assertInteger('createFaceNet: seed', seed, 0)
  if (widths.length === 0 || inputSize % 2 ** (widths.length + 1) !== 0) {
    throw new ValueError(
      `createFaceNet: inputSize ${inputSize} cannot be halved by a stem and ${widths.length} stages, expected a multiple of ${2 ** (widths.length + 1)}`,
    )
  }
  for (const [i, width] of widths.entries()) assertInteger(`createFaceNet: widths[${i}]`, width, 1, 8192)
  return { inputSize, length, widths: [...widths], blocks, seed }
}

/** A residual network with batch normalisation: pictures `[B, S, S, 3]` in 0..1 to `[B, D]`, not yet of length 1. */
export function createFaceNetNetwork(options: Required<FaceNetOptions>): tfl.LayersModel {
  const { inputSize, length, widths, blocks } = options
  let seed = options.seed * 1000
  const initializer = () => tfl.initializers.heNormal({ seed: ++seed })
  const convolve = (x: tfl.SymbolicTensor, name: string, filters: number, size: 1 | 3, strides: 1 | 2) => {
    const convolution = tfl.layers.conv2d({
      name,
      filters,
      kernelSize: size,
      strides,
      padding: 'same',
      useBias: false,
      kernelInitializer: initializer(),
    })
    const normalization = tfl.layers.batchNormalization({
      name: `${name}_norm`,
      momentum: 0.95,
      epsilon: 1e-3,
    })
    return normalization.apply(convolution.apply(x)) as tfl.SymbolicTensor
  }
  const relu = (x: tfl.SymbolicTensor, name: string) =>
    tfl.layers.activation({ name: `${name}_relu`, activation: 'relu' }).apply(x) as tfl.SymbolicTensor

  const input = tfl.input({ name: 'picture', shape: [inputSize, inputSize, 3] })
  // The normalisation of the first convolution takes care of the pictures' mean and contrast.
  let x = relu(convolve(input, 'stem', widths[0], 3, 2), 'stem')
  for (const [stage, width] of widths.entries()) {
    for (let block = 0; block < blocks; block++) {
      const name = `stage${stage + 1}_block${block + 1}`
      const strides = block === 0 ? 2 : 1
      const first = relu(convolve(x, `${name}_conv1`, width, 3, strides), `${name}_conv1`)
      const residual = convolve(first, `${name}_conv2`, width, 3, 1)
      const skipped = strides === 2 ? convolve(x, `${name}_skip`, width, 1, 2) : x
      const sum = tfl.layers.add({ name: `${name}_sum` }).apply([residual, skipped]) as tfl.SymbolicTensor
      x = relu(sum, name)
    }
  }
  const pooled = tfl.layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }).apply(x)
  const embedding = tfl.layers
    .dense({ name: 'embedding', units: length, useBias: false, kernelInitializer: initializer() })
    .apply(pooled) as tfl.SymbolicTensor
  return tfl.model({ name: 'facenet', inputs: input, outputs: embedding })
}
