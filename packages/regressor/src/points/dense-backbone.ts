import { denseFeatures, readDenseWeights, type NetworkOperations } from '@facekit/annotate'
import { assertInRange, ModelFormatError, ShapeError } from '@facekit/core'
import { layersWeights } from '@facekit/engine'
import { serialization, tensor, tidy } from '@tensorflow/tfjs-core'
import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { Backbone, BackboneContext } from '../backbone.js'
import type { FaceRegressor } from '../face-regressor.js'
import { activation, apply, depthwiseNormal, heNormal } from '../layer-helpers.js'
import { DensePointsLayer } from './dense-points-layer.js'

/** Options of `denseBackbone`. */
export interface DenseBackboneOptions {
  /** Of the dense landmark network: points of the mesh, of the outline, identity coefficients. Default 560, 17 and 80: those of the base model. */
  points?: number
  outline?: number
  identity?: number
  /** Factor of all channels. Default 1.25, as in the network that @facekit/annotate ships. */
  width?: number
}

/** Units of the two layers that see all of what is known of the points. */
const HIDDEN = [224, 192] as const
const HEADS = 'dense_points'

/** A dense landmark network (see `findDenseLandmarks` of @facekit/annotate) and what follows from its points: they are moved onto the mean
 * face, and two dense layers read shape, pose, skin and light off what is left, off how sure the network is, and off the features of the whole picture.
 *
 * Its convolutions have biases and no normalisation: begin with trained ones, by `loadDenseBackbone`. Pictures of 192 pixels.
 *
 * @returns a backbone with features `[B, C]`
 * @throws {ValueError} when a factor is not positive
 */
export function denseBackbone(options: DenseBackboneOptions = {}): Backbone {
  const { points = 560, outline = 17, identity = 80, width = 1.25 } = options
  assertInRange('denseBackbone: width', width, 0.05, 10)
  const standard = points === 560 && outline === 17 && identity === 80 && width === 1.25
  serialization.registerClass(DensePointsLayer as never)
  return {
    name: standard ? 'dense' : `dense-${points}-${outline}-${identity}-${width}`,
    // Colours from -1 to 1.
    normalization: { mean: [0.5, 0.5, 0.5], deviation: 0.5 },
    build(images, context) {
      const { maps, features } = denseFeatures(layerOperations(context), images, width)
      const heads = new DensePointsLayer({ name: HEADS, points, outline, identity })
      const [linear, rest] = heads.apply([maps, features]) as SymbolicTensor[]
      let x = apply(layers.concatenate({ name: 'point_features', axis: 1 }), [linear, rest])
      for (const [i, units] of HIDDEN.entries()) {
        const dense = layers.dense({
          name: `hidden${i + 1}`,
          units,
          activation: 'relu',
          kernelInitializer: heNormal(context),
        })
        x = apply(dense, x)
      }
      return apply(layers.concatenate({ name: 'face_features', axis: 1 }), [linear, x])
    },
  }
}

/** The graph of `denseFeatures` in layers. */
function layerOperations(context: BackboneContext): NetworkOperations<SymbolicTensor> {
  const common = (name: string, stride: number) => ({ name, strides: stride, padding: 'same' as const })
  return {
    convolve(x, name, filters, { size = 1, stride = 1, relu = false } = {}) {
      const kernelInitializer = heNormal(context)
      const y = apply(
        layers.conv2d({ ...common(name, stride), filters, kernelSize: size, kernelInitializer }),
        x,
      )
      return relu ? activation(y, `${name}_relu`) : y
    },
    convolveDepthwise(x, name, size, { stride = 1, relu = false } = {}) {
      const whole = size === 'whole'
      const kernelSize = whole ? (x.shape[1] as number) : size
      const depthwiseInitializer = whole
        ? initializers.constant({ value: 1 / kernelSize ** 2 })
        : depthwiseNormal(context, kernelSize)
      const layer = layers.depthwiseConv2d({
        ...common(name, stride),
        ...(whole && { padding: 'valid' }),
        kernelSize,
        depthwiseInitializer,
      })
      const y = apply(layer, x)
      return relu ? activation(y, `${name}_relu`) : y
    },
    enlarge: (x) =>
      apply(layers.upSampling2d({ name: `${x.name.replaceAll('/', '_')}_up`, size: [2, 2] }), x),
    add: (a, b) => apply(layers.add({ name: `${a.name.replaceAll('/', '_')}_add` }), [a, b]),
    channels: (x) => x.shape.at(-1) as number,
  }
}

/** Puts a trained dense landmark network into a regressor with `denseBackbone`; its own last layers stay as they are.
 *
 * @param bytes - a file of `saveDenseNetwork`
 * @param template - `[N * 3]` mm: points of the mean face, model space, whose place among the points is their meaning
 * @throws {ModelFormatError} when the file is damaged, or of a network of another size
 * @throws {ShapeError} when the template has another number of points
 */
export function loadDenseBackbone(
  regressor: FaceRegressor,
  bytes: Uint8Array,
  template: ArrayLike<number>,
): void {
  const { convolutions, heads, options } = readDenseWeights(bytes)
  if (template.length !== 3 * options.points) {
    throw new ShapeError(
      `loadDenseBackbone: template has ${template.length} numbers, expected 3 for each of ${options.points} points`,
    )
  }
  const given = new Map<string, Float32Array>()
  for (const { name, filter, bias } of convolutions) {
    given.set(`${name}/kernel`, filter).set(`${name}/depthwise_kernel`, filter).set(`${name}/bias`, bias)
  }
  for (const [name, { values }] of Object.entries(heads)) given.set(`${HEADS}/${name}`, values)
  given.set(`${HEADS}/template`, unitTemplate(template))
  const targets = layersWeights(regressor.model).filter(({ name }) => given.has(name))
  const needed = 2 * convolutions.length + Object.keys(heads).length + 1
  const fits = targets.every(({ name, value }) => given.get(name)!.length === value.size)
  if (!fits || targets.length !== needed) {
    throw new ModelFormatError(
      `loadDenseBackbone: the file's network does not fit backbone "${regressor.backbone}" of ${regressor.inputSize} pixels, expected one of ${options.inputSize} pixels, width ${options.width}; give denseBackbone its options`,
    )
  }
  for (const { name, value, write } of targets) tidy(() => write(tensor(given.get(name)!, value.shape)))
}

/** Width of the picture of a face, mm: with it points of the template are about as large as those that the network finds. */
const VIEW = 224

function unitTemplate(template: ArrayLike<number>): Float32Array {
  const count = template.length / 3
  const mean = [0, 1, 2].map((axis) => {
    let sum = 0
    for (let i = axis; i < template.length; i += 3) sum += template[i]
    return sum / count
  })
  return Float32Array.from({ length: template.length }, (_, i) => (template[i] - mean[i % 3]) / VIEW)
}
