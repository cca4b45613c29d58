import {
  parameterParts,
  parametersFromTensors,
  partShape,
  partSize,
  type FaceParameters,
  type ParameterLayout,
  type ParameterName,
} from '@facekit/parameters'
import { add, exp, reshape, split, tensor1d, tidy, tile, type Tensor } from '@tensorflow/tfjs-core'

/** What of a parameter the fit has to know beside its row in the table of `@facekit/parameters`. */
interface Unknown {
  /** About how far one step of the optimiser moves an unknown. */
  rate: number
  /** Whether all photographs of a person have one row, or each its own. */
  shared?: true
  /** For a parameter with a lower bound: how near to it a start may lie. At the bound itself it could never be moved again. */
  margin?: number
}

/** Whether a parameter moves vertices. */
const isShape = (name: ParameterName) =>
  name === 'identity' ||
  name === 'expression' ||
  name === 'rotation' ||
  name === 'translation' ||
  name === 'scale'

const UNKNOWNS: Readonly<Record<ParameterName, Unknown>> = {
  identity: { rate: 0.05, shared: true },
  expression: { rate: 0.015 },
  albedo: { rate: 0.05, shared: true },
  rotation: { rate: 0.003 },
  translation: { rate: 0.3 },
  scale: { rate: 0.003, margin: 1e-6 },
  sphericalHarmonics: { rate: 0.03 },
  lightPosition: { rate: 20 },
  lightColor: { rate: 0.04, margin: 1e-3 },
  shininess: { rate: 0.03, margin: 1e-2 },
}

/** What the optimiser moves: a vector in which identity and albedo are shared by all pictures of one person, and parameters with a lower bound
 * are logarithms of the distance from it. */
export interface FaceUnknowns {
  size: number
  /** Rates for the optimiser, one for each unknown. */
  rates: Float64Array
  /** Whether the photographs share the rows of a parameter. */
  isShared(name: ParameterName): boolean
  /** Where the rows of a parameter are in the vector. */
  range(name: ParameterName, picture?: number): [start: number, end: number]
  /** The unknown for a value of a parameter. */
  encode(name: ParameterName, value: number): number
  /** Differentiable; pose and shape are those of `still`, and constant, where it is given. */
  decode(vector: Tensor, still?: Float64Array): FaceParameters
}

/** Lays out the unknowns for B pictures of one person. */
export function faceUnknowns(layout: ParameterLayout, batch: number): FaceUnknowns {
  let size = 0
  const blocks = parameterParts.map((part) => {
    const { rate, shared = false, margin = 0 } = UNKNOWNS[part.name]
    const width = partSize(part, layout)
    const rows = shared ? 1 : batch
    const least = 'least' in part ? part.least : undefined
    const block = { part, rate, shared, margin, width, rows, least, offset: size }
    size += width * rows
    return block
  })
  const named = new Map(blocks.map((block) => [block.part.name, block]))
  const rates = new Float64Array(size)
  for (const { offset, width, rows, rate } of blocks) rates.fill(rate, offset, offset + width * rows)
  const lengths = blocks.map(({ width, rows }) => width * rows)
  return {
    size,
    rates,
    isShared: (name) => named.get(name)!.shared,
    range(name, picture = 0) {
      const { offset, width, shared } = named.get(name)!
      const start = offset + (shared ? 0 : picture * width)
      return [start, start + width]
    },
    encode(name, value) {
      const { least, margin } = named.get(name)!
      return least === undefined ? value : Math.log(Math.max(value - least, margin))
    },
    decode: (vector, still) =>
      parametersFromTensors(
        tidy(() => {
          // All blocks at once: the gradient of a split is one concatenation, that of ten slices ten paddings and nine additions.
          const columns = split(vector, lengths)
          if (still) {
            blocks.forEach(({ part, offset }, i) => {
              if (isShape(part.name))
                columns[i] = tensor1d(Float32Array.from(still.subarray(offset, offset + lengths[i])))
            })
          }
          return blocks.map(({ part, rows, least }, i) => {
            const shape = partShape(part, layout)
            const unknowns = reshape(columns[i], [rows, ...shape])
            const all = rows === batch ? unknowns : tile(unknowns, [batch, ...shape.map(() => 1)])
            if (least === undefined) return all
            return least === 0 ? exp(all) : add(exp(all), least)
          })
        }),
      ),
  }
}
