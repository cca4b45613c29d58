import type { FaceParameters, ParameterLayout } from '@facekit/core'
import {
  add,
  exp,
  reshape,
  slice,
  tidy,
  tile,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'

/** One block of unknowns. Shared blocks hold one row for all pictures, others one row for each. */
interface Block {
  name: BlockName
  width: number
  shared: boolean
  /** About how far one step of the optimiser moves an unknown. */
  rate: number
  offset: number
}

type BlockName =
  | 'identity'
  | 'albedo'
  | 'expression'
  | 'rotation'
  | 'translation'
  | 'logScale'
  | 'sphericalHarmonics'
  | 'lightPosition'
  | 'logLightColor'
  | 'logShininess'

/** What the optimiser moves: a vector in which positive quantities are logarithms, and identity and albedo are shared by
 * all pictures of one person. */
export interface FaceUnknowns {
  size: number
  /** Rates for the optimiser, one for each unknown. */
  rates: Float64Array
  /** Where the rows of a block are in the vector. */
  range(name: BlockName, picture?: number): [start: number, end: number]
  /** Differentiable. */
  decode(vector: Tensor1D): FaceParameters
}

/** Lays out the unknowns for B pictures of one person. */
export function faceUnknowns(layout: ParameterLayout, batch: number): FaceUnknowns {
  const plan: [BlockName, width: number, shared: boolean, rate: number][] = [
    ['identity', layout.identity, true, 0.05],
    ['albedo', layout.albedo, true, 0.05],
    ['expression', layout.expression, false, 0.015],
    ['rotation', 3, false, 0.003],
    ['translation', 3, false, 0.3],
    ['logScale', 1, false, 0.003],
    ['sphericalHarmonics', 27, false, 0.03],
    ['lightPosition', 3, false, 20],
    ['logLightColor', 3, false, 0.04],
    ['logShininess', 1, false, 0.03],
  ]
  const blocks = new Map<BlockName, Block>()
  let size = 0
  for (const [name, width, shared, rate] of plan) {
    blocks.set(name, { name, width, shared, rate, offset: size })
    size += width * (shared ? 1 : batch)
  }
  const rates = new Float64Array(size)
  for (const { offset, width, shared, rate } of blocks.values()) {
    rates.fill(rate, offset, offset + width * (shared ? 1 : batch))
  }
  const part = (vector: Tensor1D, name: BlockName): Tensor2D => {
    const { offset, width, shared } = blocks.get(name)!
    const rows = shared ? 1 : batch
    const matrix = reshape(slice(vector, offset, rows * width), [rows, width]) as Tensor2D
    return shared && batch > 1 ? tile(matrix, [batch, 1]) : matrix
  }
  return {
    size,
    rates,
    range(name, picture = 0) {
      const { offset, width, shared } = blocks.get(name)!
      const start = offset + (shared ? 0 : picture * width)
      return [start, start + width]
    },
    decode: (vector) =>
      tidy(() => ({
        identity: part(vector, 'identity'),
        expression: part(vector, 'expression'),
        albedo: part(vector, 'albedo'),
        pose: {
          rotation: part(vector, 'rotation'),
          translation: part(vector, 'translation'),
          scale: exp(part(vector, 'logScale')),
        },
        illumination: {
          sphericalHarmonics: reshape(part(vector, 'sphericalHarmonics') as Tensor, [
            batch,
            9,
            3,
          ]) as Tensor3D,
          lightPosition: part(vector, 'lightPosition'),
          lightColor: exp(part(vector, 'logLightColor')),
          // The exponent of Blinn-Phong is at least 1.
          shininess: add(exp(part(vector, 'logShininess')), 1),
        },
      })) as unknown as FaceParameters,
  }
}
