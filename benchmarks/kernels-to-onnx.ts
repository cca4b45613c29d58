/** Turns kernels that tfjs has run into an ONNX model that computes the same. */
import type { backend_util } from '@tensorflow/tfjs-core'
import type { OnnxAttribute, OnnxGraph } from './onnx-graph.js'

/** A tensor, and what is known of it. */
export interface TracedTensor {
  id: number
  shape: number[]
  dtype: string
}

/** A kernel that was run. */
export interface TracedKernel {
  name: string
  inputs: Record<string, TracedTensor | TracedTensor[]>
  attrs: Record<string, unknown>
  output: TracedTensor
}

/** Names and numbers of the operands. */
interface Operands {
  name(tensor: TracedTensor): string
  values(tensor: TracedTensor): Float32Array
}

/** Kernels whose node has the same inputs and no attributes. */
const SAME: Record<string, string> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Relu: 'Relu',
  Sigmoid: 'Sigmoid',
  Identity: 'Identity',
}

const POOLS: Record<string, string> = { AvgPool: 'AveragePool', MaxPool: 'MaxPool' }

/** Kernels that `addKernel` knows. */
export const KNOWN_KERNELS: ReadonlySet<string> = new Set([
  ...Object.keys(SAME),
  ...Object.keys(POOLS),
  'Conv2D',
  'FusedConv2D',
  'FusedDepthwiseConv2D',
  'DepthwiseConv2dNative',
  'FusedBatchNorm',
  'ResizeNearestNeighbor',
  'BatchMatMul',
  'Concat',
  'Softmax',
  'Transpose',
  'Reshape',
  'PadV2',
])

/** Adds the node of a kernel.
 *
 * @returns the name of its output
 * @throws {Error} for a kernel that is not known
 */
export function addKernel(graph: OnnxGraph, kernel: TracedKernel, operands: Operands): string {
  const { name: kind, attrs, output } = kernel
  const inputs = kernel.inputs as Record<string, TracedTensor>
  const names = () => Object.values(kernel.inputs).flat().map(operands.name)
  if (kind in SAME) return graph.node(SAME[kind], names())
  const planar = (x: TracedTensor) => graph.node('Transpose', [operands.name(x)], { perm: [0, 3, 1, 2] })
  const upright = (x: string) => graph.node('Transpose', [x], { perm: [0, 2, 3, 1] })
  switch (kind) {
    case 'Conv2D':
    case 'FusedConv2D':
    case 'FusedDepthwiseConv2D':
    case 'DepthwiseConv2dNative':
      return upright(convolution(graph, kernel, operands, planar(inputs.x)))
    case 'AvgPool':
    case 'MaxPool':
      return upright(
        graph.node(POOLS[kind], [planar(inputs.x)], {
          kernel_shape: pair(attrs.filterSize),
          strides: pair(attrs.strides),
          ...padding(attrs.pad),
        }),
      )
    case 'FusedBatchNorm': {
      const rest = [inputs.scale, inputs.offset, inputs.mean, inputs.variance].map(operands.name)
      const epsilon = { float: attrs.varianceEpsilon as number }
      return upright(graph.node('BatchNormalization', [planar(inputs.x), ...rest], { epsilon }))
    }
    case 'ResizeNearestNeighbor': {
      const [batch, height, width, channels] = output.shape
      const sizes = graph.integers([batch, channels, height, width])
      return upright(
        graph.node('Resize', [planar(inputs.images), '', '', sizes], {
          mode: 'nearest',
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        }),
      )
    }
    case 'BatchMatMul': {
      const turned = (x: TracedTensor, turn: unknown) => {
        const rank = x.shape.length
        const axes = x.shape.map((_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2))
        return turn === true ? graph.node('Transpose', [operands.name(x)], { perm: axes }) : operands.name(x)
      }
      return graph.node('MatMul', [turned(inputs.a, attrs.transposeA), turned(inputs.b, attrs.transposeB)])
    }
    case 'Concat':
      return graph.node('Concat', names(), { axis: attrs.axis as number })
    case 'Softmax':
      return graph.node('Softmax', names(), { axis: -1 })
    case 'Transpose':
      return graph.node('Transpose', names(), { perm: attrs.perm as number[] })
    case 'Reshape':
      return graph.node('Reshape', [...names(), graph.integers(output.shape)])
    case 'PadV2': {
      const paddings = attrs.paddings as [number, number][]
      const pads = graph.integers([
        ...paddings.map(([before]) => before),
        ...paddings.map(([, after]) => after),
      ])
      const value = graph.constant(Float32Array.of(attrs.constantValue as number), [])
      return graph.node('Pad', [...names(), pads, value])
    }
    default:
      throw new Error(`kernel ${kind} is not known here`)
  }
}

const pair = (value: unknown): number[] => (typeof value === 'number' ? [value, value] : (value as number[]))

/** tfjs' padding of rows and columns. */
function padding(pad: unknown): Record<string, OnnxAttribute> {
  if (pad === 'same') return { auto_pad: 'SAME_UPPER' }
  if (pad === 'valid') return { auto_pad: 'VALID' }
  if (typeof pad === 'number') return { pads: [pad, pad, pad, pad] }
  const [, rows, columns] = pad as backend_util.ExplicitPadding
  return { pads: [rows[0], columns[0], rows[1], columns[1]] }
}

function convolution(graph: OnnxGraph, kernel: TracedKernel, operands: Operands, x: string): string {
  const { attrs } = kernel
  const { filter, bias, preluActivationWeights } = kernel.inputs as Record<string, TracedTensor>
  const [height, width, inputs, last] = filter.shape
  const isDepthwise = kernel.name.includes('Depthwise')
  const [groups, deep, outputs] = isDepthwise ? [inputs, 1, inputs * last] : [1, inputs, last]
  const values = operands.values(filter)
  // [kh, kw, Cin, Cout] to [Cout, Cin, kh, kw]; depthwise [kh, kw, C, multiplier] to [C * multiplier, 1, kh, kw].
  const turned = new Float32Array(values.length)
  for (let tap = 0; tap < height * width; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < last; o++) {
        const to = isDepthwise ? i * last + o : o * inputs + i
        turned[to * height * width + tap] = values[(tap * inputs + i) * last + o]
      }
    }
  }
  const weights = graph.constant(turned, [outputs, deep, height, width])
  let y = graph.node('Conv', [x, weights, ...(bias ? [operands.name(bias)] : [])], {
    kernel_shape: [height, width],
    strides: pair(attrs.strides),
    dilations: pair(attrs.dilations ?? 1),
    group: groups,
    ...padding(attrs.pad),
  })
  const activation = (attrs.activation as string | undefined) ?? 'linear'
  const number = (value: number) => graph.constant(Float32Array.of(value), [])
  if (activation === 'relu') y = graph.node('Relu', [y])
  else if (activation === 'relu6') y = graph.node('Clip', [y, number(0), number(6)])
  else if (activation === 'sigmoid') y = graph.node('Sigmoid', [y])
  else if (activation === 'prelu')
    y = graph.node('PRelu', [y, graph.constant(operands.values(preluActivationWeights), [outputs, 1, 1])])
  else if (activation !== 'linear') throw new Error(`activation ${activation} is not known here`)
  return y
}
