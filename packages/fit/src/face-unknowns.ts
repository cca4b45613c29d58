import type { FaceParameters, ParameterLayout } from '@facekit/parameters'
import {
  add,
  exp,
  reshape,
  split,
  tidy,
  tile,
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
  const lengths = [...blocks.values()].map(({ width, shared }) => width * (shared ? 1 : batch))
  /** All blocks at once: the gradient of a split is one concatenation, that of ten slices ten paddings and nine additions. */
  const parts = (vector: Tensor1D): Record<BlockName, Tensor2D> => {
    const rows = split(vector, lengths)
    const named = [...blocks.values()].map(({ name, width, shared }, i) => {
      const matrix = reshape(rows[i], [shared ? 1 : batch, width]) as Tensor2D
      return [name, shared && batch > 1 ? tile(matrix, [batch, 1]) : matrix]
    })
    return Object.fromEntries(named) as Record<BlockName, Tensor2D>
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
      tidy(() => {
        const { logScale, logLightColor, logShininess, sphericalHarmonics, ...plain } = parts(vector)
        return {
          identity: plain.identity,
          expression: plain.expression,
          albedo: plain.albedo,
          pose: { rotation: plain.rotation, translation: plain.translation, scale: exp(logScale) },
          illumination: {
            sphericalHarmonics: reshape(sphericalHarmonics, [batch, 9, 3]) as Tensor3D,
            lightPosition: plain.lightPosition,
            lightColor: exp(logLightColor),
            // The exponent of Blinn-Phong is at least 1.
            shininess: add(exp(logShininess), 1),
          },
        }
      }) as unknown as FaceParameters,
  }
}
