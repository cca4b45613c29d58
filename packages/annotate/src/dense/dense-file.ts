import * as tf from '@tensorflow/tfjs-core'
import {
  assertShape,
  ModelFormatError,
  readSafetensors,
  showValue,
  writeSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
} from '@facekit/core'
import { scaledBytes } from '@facekit/engine'
import { TensorStore, type Layer } from '../network-layers.js'
import { denseFeatures } from './dense-graph.js'
import { centered, checkDenseOptions, type DenseNetwork, type DenseNetworkOptions } from './dense-network.js'
import { denseOutputs, headShapes, type DensePrediction, type HeadWeights } from './dense-outputs.js'
import { inferenceOperations } from './inference-operations.js'
import { layerShapes } from './layer-shapes.js'
import { inferenceMoments } from './soft-moments.js'
import { EPSILON } from './trainable-operations.js'

/** By what the network's deviations are multiplied, so that 68 % of what is measured lies within one. */
export interface DenseCalibration {
  positions: number
  outline: number
  depths: number
  identity: number
}

/** A dense landmark network for inference. */
export interface DensePredictor {
  readonly options: Readonly<Required<DenseNetworkOptions>>
  readonly calibration: Readonly<DenseCalibration>
  /** Name of the model whose identity coefficients it gives, if the file says so. */
  readonly model?: string
  /** @param images - `[B, S, S, 3]` encoded, 0..1; the caller owns the results. Deviations are calibrated. No gradients. */
  predict(images: tf.Tensor4D): DensePrediction
  dispose(): void
}

/** Options of `saveDenseNetwork`. */
export interface SaveDenseNetworkOptions {
  /** Default: all 1. */
  calibration?: DenseCalibration
  /** Text that is stored beside: how it was trained, its licence. */
  metadata?: Record<string, string>
}

const FORMAT = 'facekit-dense-landmarks'
const NOT_CALIBRATED: DenseCalibration = { positions: 1, outline: 1, depths: 1, identity: 1 }

/** Writes a network for inference as a safetensors file: normalisations folded into the convolutions; filters and the dense layer as
 * 8-bit integers with a scale for each output, the rest in half precision.
 *
 *     filter' = filter scale / sqrt(variance + epsilon)        bias = offset - mean scale / sqrt(variance + epsilon)
 *
 * @returns the file's bytes
 */
export async function saveDenseNetwork(
  { options, variables }: DenseNetwork,
  { calibration = NOT_CALIBRATED, metadata = {} }: SaveDenseNetworkOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, SafetensorsEntry>()
  const { inputSize, width, points, outline, identity } = options
  const read = async (name: string) => Float32Array.from(await variables[name].data())
  for (const { name, filter, depthwise } of layerShapes(inputSize, width).layers) {
    const parts = ['filter', 'scale', 'offset', 'mean', 'variance'] as const
    const [weights, scale, offset, mean, variance] = await Promise.all(
      parts.map((part) => read(`${name}/${part}`)),
    )
    const rate = scale.map((value, c) => value / Math.sqrt(variance[c] + EPSILON))
    const channels = rate.length
    storeQuantized(
      tensors,
      `${name}/filter`,
      depthwise ? [filter[0], filter[1], filter[2]] : [...filter],
      weights.map((value, i) => value * rate[i % channels]),
    )
    const bias = offset.map((value, c) => value - mean[c] * rate[c])
    tensors.set(`${name}/bias`, { shape: [channels], data: bias, type: 'F32' })
  }
  for (const key of Object.keys(variables).filter((name) => name.startsWith('heads/'))) {
    const { shape } = variables[key]
    const data = await read(key)
    if (shape.length > 1) storeQuantized(tensors, key, shape, data)
    else tensors.set(key, { shape, data, type: 'F32' })
  }
  const network = JSON.stringify({ inputSize, width, points, outline, identity })
  return writeSafetensors({
    metadata: {
      ...metadata,
      format: FORMAT,
      version: '1',
      network,
      calibration: JSON.stringify(calibration),
    },
    tensors,
  })
}

/** `name` as integers from -127 to 127 (plus 128) and `name_scale`, one for each of the last axis. */
function storeQuantized(
  tensors: Map<string, SafetensorsEntry>,
  name: string,
  shape: readonly number[],
  values: Float32Array,
): void {
  const outputs = shape.at(-1)!
  const scales = new Float32Array(outputs)
  for (let i = 0; i < values.length; i++) {
    scales[i % outputs] = Math.max(scales[i % outputs], Math.abs(values[i]) / 127)
  }
  const data = Uint8Array.from(values, (value, i) => {
    const scale = scales[i % outputs]
    return 128 + (scale > 0 ? Math.round(value / scale) : 0)
  })
  tensors.set(name, { shape: [...shape], data, type: 'U8' })
  tensors.set(`${name}_scale`, { shape: [outputs], data: scales, type: 'F32' })
}

/** Weights of a dense landmark network as its file holds them, on the CPU. */
export interface DenseWeights {
  readonly options: Readonly<Required<DenseNetworkOptions>>
  readonly calibration: Readonly<DenseCalibration>
  /** Name of the model whose identity coefficients it gives, if the file says so. */
  readonly model?: string
  /** The convolutions in the order in which they run; depthwise filters are `[kh, kw, C, 1]`. */
  readonly convolutions: readonly {
    name: string
    shape: readonly number[]
    filter: Float32Array
    bias: Float32Array
  }[]
  readonly heads: Readonly<Record<keyof HeadWeights, { shape: readonly number[]; values: Float32Array }>>
}

/** Reads the weights in a file of `saveDenseNetwork`, normalisations folded into the convolutions: a start for another network that is built of
 * `denseFeatures`.
 *
 * @throws {ModelFormatError} when the file is damaged or of another kind
 */
export function readDenseWeights(bytes: Uint8Array): DenseWeights {
  const who = 'dense landmarks'
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== FORMAT || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who}: the file holds "${metadata.format ?? 'no format'} ${metadata.version ?? ''}", expected "${FORMAT} 1"; write it with saveDenseNetwork`,
    )
  }
  const options = parseHeader(who, metadata.network, (value) =>
    checkDenseOptions(who, value as DenseNetworkOptions),
  )
  const { layers, mapChannels, featureChannels } = layerShapes(options.inputSize, options.width)
  const read = (name: string, shape: readonly number[]) => readWeights(tensors, who, name, shape)
  const shapes = Object.entries(headShapes(options, mapChannels, featureChannels))
  return {
    options,
    calibration: parseHeader(who, metadata.calibration, checkCalibration),
    ...(metadata.model !== undefined && { model: metadata.model }),
    convolutions: layers.map(({ name, filter: shape, depthwise }) => {
      const stored = depthwise ? shape.slice(0, 3) : shape
      return {
        name,
        shape,
        filter: read(`${name}/filter`, stored),
        bias: read(`${name}/bias`, [stored.at(-1)!]),
      }
    }),
    heads: Object.fromEntries(
      shapes.map(([name, shape]) => [name, { shape, values: read(`heads/${name}`, shape) }]),
    ) as unknown as DenseWeights['heads'],
  }
}

/** Makes a network out of a file of `saveDenseNetwork`, on the current backend.
 *
 * @throws {ModelFormatError} when the file is damaged or of another kind
 */
export function openDenseNetwork(bytes: Uint8Array): DensePredictor {
  const { options, calibration, model, convolutions, heads: headValues } = readDenseWeights(bytes)
  const { inputSize, width } = options
  const store = new TensorStore()
  const layers = new Map<string, Layer>()
  for (const { name, shape, filter, bias } of convolutions)
    layers.set(name, store.layer(filter, [...shape], bias))
  const heads = Object.fromEntries(
    Object.entries(headValues).map(([name, { shape, values }]) => [name, store.add(values, [...shape])]),
  ) as unknown as HeadWeights
  const net = inferenceOperations(layers)
  return {
    options,
    calibration,
    ...(model !== undefined && { model }),
    predict(images) {
      assertShape('DensePredictor.predict: images', images, ['B', inputSize, inputSize, 3])
      return tf.tidy(() =>
        calibrated(
          denseOutputs(denseFeatures(net, centered(images), width), heads, options, inferenceMoments),
          calibration,
          options,
        ),
      )
    },
    dispose: () => store.dispose(),
  }
}

function calibrated(
  prediction: DensePrediction,
  calibration: DenseCalibration,
  { points, outline }: Required<DenseNetworkOptions>,
): DensePrediction {
  const [mesh, jaw] = [calibration.positions, calibration.outline].map(Math.log)
  const shift = Float32Array.from({ length: points + outline }, (_, i) => (i < points ? mesh : jaw))
  return {
    ...prediction,
    logDeviations: tf.add(prediction.logDeviations, tf.tensor1d(shift)) as tf.Tensor2D,
    logDepthDeviations: tf.add(prediction.logDepthDeviations, Math.log(calibration.depths)) as tf.Tensor2D,
    logIdentityDeviations: tf.add(
      prediction.logIdentityDeviations,
      Math.log(calibration.identity),
    ) as tf.Tensor2D,
  }
}

function readWeights(
  tensors: SafetensorsFile['tensors'],
  who: string,
  name: string,
  shape: readonly number[],
): Float32Array {
  const entry = tensors.get(name)
  const fail = (what: string) =>
    new ModelFormatError(`${who}: tensor "${name}" ${what}; write the file with saveDenseNetwork`)
  if (entry?.shape.join() !== shape.join()) {
    throw fail(`is ${entry ? `[${entry.shape.join(', ')}]` : 'missing'}, expected [${shape.join(', ')}]`)
  }
  let values: Float32Array
  if (entry.data instanceof Float32Array) {
    values = entry.data.slice()
  } else {
    const scales = tensors.get(`${name}_scale`)
    const outputs = shape.at(-1)!
    if (
      !(entry.data instanceof Uint8Array) ||
      !(scales?.data instanceof Float32Array) ||
      scales.data.length !== outputs
    )
      throw fail('has no scales')
    values = scaledBytes(entry.data, scales.data)
  }
  if (!values.every(Number.isFinite)) throw fail('holds numbers that are not finite')
  return values
}

function checkCalibration(value: unknown): DenseCalibration {
  const { positions, outline, depths, identity } = value as DenseCalibration
  const factors = { positions, outline, depths, identity }
  for (const [name, factor] of Object.entries(factors))
    if (!(typeof factor === 'number' && factor > 0 && factor < Infinity))
      throw new ModelFormatError(`dense landmarks: the calibration of ${name} is ${showValue(factor)}`)
  return factors
}

function parseHeader<T>(who: string, text: string | undefined, check: (value: unknown) => T): T {
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (typeof value === 'object' && value !== null) return check(value)
  } catch {
    // reported below
  }
  throw new ModelFormatError(`${who}: the file's header is incomplete; write it with saveDenseNetwork`)
}
