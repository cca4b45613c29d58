import { ModelFormatError } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'

/** One operation of a tfjs graph model. */
interface GraphNode {
  name: string
  op: string
  input?: string[]
  attr?: Record<string, { s?: string; list?: { s?: string[]; i?: (string | number)[] } }>
}

interface WeightEntry {
  name: string
  shape: number[]
  dtype: string
  quantization?: { dtype: string }
}

/** A network of the few operations that face meshes need, on the current backend. */
export interface FaceMeshGraph {
  /** The node's result for `[B, H, W, 3]`; the caller owns it. */
  run(input: tf.Tensor4D, output: string): tf.Tensor
  dispose(): void
}

const who = 'loadFaceMesh'
const remedy = 'install @vladmandic/human again'

/** Reads a tfjs graph model (`model.json` and one file of weights) of convolutions, PReLU, maximum, padding and sums.
 *
 * @throws {ModelFormatError} when the files are damaged or the graph holds other operations
 */
export function readFaceMeshGraph(json: string, bytes: Uint8Array, name: string): FaceMeshGraph {
  const { nodes, entries } = parse(json, name)
  const weights = new Map<string, tf.Tensor>()
  try {
    let offset = 0
    for (const entry of entries) {
      const { values, end } = readWeight(entry, bytes, offset, name)
      offset = end
      const dtype = entry.dtype === 'int32' ? 'int32' : 'float32'
      weights.set(entry.name, tf.keep(tf.tensor(values, entry.shape, dtype)))
    }
  } catch (error) {
    tf.dispose([...weights.values()])
    throw error
  }
  return {
    run: (input, output) => tf.tidy(() => evaluate(nodes, weights, input, output, name)),
    dispose: () => tf.dispose([...weights.values()]),
  }
}

function parse(json: string, name: string): { nodes: Map<string, GraphNode>; entries: WeightEntry[] } {
  try {
    const model = JSON.parse(json) as {
      modelTopology: { node: GraphNode[] }
      weightsManifest: { weights: WeightEntry[] }[]
    }
    const entries = model.weightsManifest.flatMap(({ weights }) => weights)
    return { nodes: new Map(model.modelTopology.node.map((node) => [node.name, node])), entries }
  } catch (cause) {
    throw new ModelFormatError(`${who}: ${name} is no tfjs graph model; ${remedy}`, { cause })
  }
}

function readWeight(entry: WeightEntry, bytes: Uint8Array, offset: number, name: string) {
  const count = entry.shape.reduce((product, size) => product * size, 1)
  const type = entry.quantization?.dtype ?? entry.dtype
  const width = type === 'float16' ? 2 : 4
  const end = offset + count * width
  if (!['float16', 'float32', 'int32'].includes(type) || !(end <= bytes.length)) {
    throw new ModelFormatError(
      `${who}: the weights of ${name} end within "${entry.name}", or are of the unknown type ${type}; ${remedy}`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * width)
  const values = type === 'int32' ? new Int32Array(count) : new Float32Array(count)
  for (let i = 0; i < count; i++) {
    if (type === 'float16') values[i] = halfToFloat(view.getUint16(2 * i, true))
    else values[i] = type === 'int32' ? view.getInt32(4 * i, true) : view.getFloat32(4 * i, true)
  }
  return { values, end }
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function evaluate(
  nodes: ReadonlyMap<string, GraphNode>,
  weights: ReadonlyMap<string, tf.Tensor>,
  picture: tf.Tensor4D,
  output: string,
  name: string,
): tf.Tensor {
  const done = new Map<string, tf.Tensor>()
  const value = (reference: string): tf.Tensor => {
    const key = reference.replace(/:\d+$/, '')
    const known = weights.get(key) ?? done.get(key)
    if (known) return known
    const node = nodes.get(key)
    if (!node) throw new ModelFormatError(`${who}: ${name} has no node "${key}"; ${remedy}`)
    const result =
      node.op === 'Placeholder'
        ? picture
        : compute(
            node,
            (node.input ?? []).map((input) => value(input)),
            name,
          )
    done.set(key, result)
    return result
  }
  return tf.clone(value(output))
}

const text = (base64: string | undefined) => (base64 === undefined ? '' : atob(base64))

function compute(node: GraphNode, inputs: tf.Tensor[], name: string): tf.Tensor {
  const [x, second, third] = inputs
  const attr = node.attr ?? {}
  const numbers = (key: string) => (attr[key]?.list?.i ?? []).map(Number)
  const strides = numbers('strides').slice(1, 3) as [number, number]
  const padding = text(attr.padding?.s).toLowerCase() as 'same' | 'valid'
  switch (node.op) {
    case '_FusedConv2D': {
      const fused = (attr.fused_ops?.list?.s ?? []).map(text)
      const result = tf.add(tf.conv2d(x as tf.Tensor4D, second as tf.Tensor4D, strides, padding), third)
      if (fused.includes('Prelu')) return tf.prelu(result, inputs[3])
      return fused.includes('Relu') ? tf.relu(result) : result
    }
    case 'DepthwiseConv2dNative':
      return tf.depthwiseConv2d(x as tf.Tensor4D, second as tf.Tensor4D, strides, padding)
    case 'AddV2':
      return tf.add(x, second)
    case 'Prelu':
      return tf.prelu(x, second)
    case 'MaxPool':
      return tf.maxPool(x as tf.Tensor4D, numbers('ksize').slice(1, 3) as [number, number], strides, padding)
    case 'Pad': {
      const flat = second.dataSync()
      return tf.pad(
        x,
        Array.from({ length: x.rank }, (_, d): [number, number] => [flat[2 * d], flat[2 * d + 1]]),
      )
    }
    case 'Sigmoid':
      return tf.sigmoid(x)
    case 'Reshape':
      return tf.reshape(x, Array.from(second.dataSync()))
    case 'Identity':
      return x
    default:
      throw new ModelFormatError(
        `${who}: ${name} has the operation ${node.op}, which is not known here; ${remedy}`,
      )
  }
}
