/** Writes a folded ResNet as an ONNX model, in ONNX's own layout (channels before rows), by hand: the format is Protocol Buffers, and few of its
 * messages are needed. Numbers of fields are those of onnx.proto. */
import * as tf from '@tensorflow/tfjs-core'
import type { FoldedLayer, FoldedResNet } from './resnet.js'

type Field = Uint8Array

const FLOAT = 1
const text = new TextEncoder()

function join(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest % 128) | (rest > 127 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}

const integer = (field: number, value: number): Field => join([varint(field * 8), varint(value)])
const bytes = (field: number, value: Uint8Array): Field =>
  join([varint(field * 8 + 2), varint(value.length), value])
const string = (field: number, value: string): Field => bytes(field, text.encode(value))
const message = (field: number, fields: readonly Field[]): Field => bytes(field, join(fields))

type Attribute = string | number | readonly number[]

function attribute(name: string, value: Attribute): Field {
  if (typeof value === 'string')
    return message(5, [string(1, name), bytes(4, text.encode(value)), integer(20, 3)])
  if (typeof value === 'number') return message(5, [string(1, name), integer(3, value), integer(20, 2)])
  return message(5, [string(1, name), ...value.map((item) => integer(8, item)), integer(20, 7)])
}

const valueInfo = (field: number, name: string, shape: readonly number[]): Field =>
  message(field, [
    string(1, name),
    message(2, [
      message(1, [
        integer(1, FLOAT),
        message(
          2,
          shape.map((size) => message(1, [integer(1, size)])),
        ),
      ]),
    ]),
  ])

/** Encodes a network for pictures of one size.
 *
 * @returns a model with the input `images` `[B, 3, size, size]` and the output `coefficients` `[B, 257]`
 */
export async function encodeOnnx(net: FoldedResNet, batch: number, size: number): Promise<Uint8Array> {
  const nodes: Field[] = []
  const initializers: Field[] = []
  let count = 0
  const node = (type: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}) => {
    const output = `x${++count}`
    nodes.push(
      message(1, [
        ...inputs.map((input) => string(1, input)),
        string(2, output),
        string(4, type),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ]),
    )
    return output
  }
  const constant = async (tensor: tf.Tensor) => {
    const name = `w${++count}`
    const values = await tensor.data<'float32'>()
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    initializers.push(
      message(5, [
        ...tensor.shape.map((dimension) => integer(1, dimension)),
        integer(2, FLOAT),
        string(8, name),
        bytes(9, raw),
      ]),
    )
    return name
  }
  const conv = async (x: string, { filter, bias, stride }: FoldedLayer) => {
    const planar = tf.transpose(filter, [3, 2, 0, 1])
    const inputs = [x, await constant(planar), await constant(bias)]
    planar.dispose()
    const { shape } = filter
    return node('Conv', inputs, {
      auto_pad: 'SAME_UPPER',
      kernel_shape: [shape[0], shape[1]],
      strides: [stride, stride],
    })
  }
  let x = node('Relu', [await conv('images', net.stem)])
  x = node('MaxPool', [x], { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], strides: [2, 2] })
  for (const { layers, shortcut } of net.blocks) {
    const residual = shortcut ? await conv(x, shortcut) : x
    for (const [i, layer] of layers.entries()) {
      const y = await conv(x, layer)
      x = node('Relu', [i === layers.length - 1 ? node('Add', [y, residual]) : y])
    }
  }
  const mean = node('Flatten', [node('GlobalAveragePool', [x])])
  const last = node('Gemm', [mean, await constant(net.weights), await constant(net.bias)])
  const graph = message(7, [
    ...nodes,
    string(2, `resnet${net.depth}`),
    ...initializers,
    valueInfo(11, 'images', [batch, 3, size, size]),
    valueInfo(12, last, [batch, net.bias.shape[0]]),
  ])
  return join([integer(1, 8), graph, message(8, [integer(2, 17)])])
}
