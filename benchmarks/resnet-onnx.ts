/** Writes a folded ResNet as an ONNX model, in ONNX's own layout (channels before rows). */
import * as tf from '@tensorflow/tfjs-core'
import { OnnxGraph } from './onnx-graph.js'
import type { FoldedLayer, FoldedResNet } from './resnet.js'

/** Encodes a network for pictures of one size.
 *
 * @returns a model with the input `images` `[B, 3, size, size]` and an output `[B, 257]`
 */
export async function encodeOnnx(net: FoldedResNet, batch: number, size: number): Promise<Uint8Array> {
  const graph = new OnnxGraph()
  const constant = async (tensor: tf.Tensor) => graph.constant(await tensor.data<'float32'>(), tensor.shape)
  const conv = async (x: string, { filter, bias, stride }: FoldedLayer) => {
    const planar = tf.transpose(filter, [3, 2, 0, 1])
    const inputs = [x, await constant(planar), await constant(bias)]
    planar.dispose()
    return graph.node('Conv', inputs, {
      auto_pad: 'SAME_UPPER',
      kernel_shape: filter.shape.slice(0, 2),
      strides: [stride, stride],
    })
  }
  graph.input('images', [batch, 3, size, size])
  let x = graph.node('Relu', [await conv('images', net.stem)])
  x = graph.node('MaxPool', [x], { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], strides: [2, 2] })
  for (const { layers, shortcut } of net.blocks) {
    const residual = shortcut ? await conv(x, shortcut) : x
    for (const [i, layer] of layers.entries()) {
      const y = await conv(x, layer)
      x = graph.node('Relu', [i === layers.length - 1 ? graph.node('Add', [y, residual]) : y])
    }
  }
  const mean = graph.node('Flatten', [graph.node('GlobalAveragePool', [x])])
  const last = graph.node('Gemm', [mean, await constant(net.weights), await constant(net.bias)])
  graph.output(last, [batch, net.bias.shape[0]])
  return graph.encode(`resnet${net.depth}`)
}
