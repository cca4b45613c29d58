import { tensor, type Tensor } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { ModelFormatError, type SafetensorsEntry, readSafetensors, writeSafetensors } from '@facekit/core'
import { dequantizeEntries, quantizedEntries } from './quantized-weights.js'

/** Options of `saveLayersWeights`. */
export interface SaveLayersWeightsOptions {
  /** Numbers in the file: half precision halves it; `'int8'` stores filters and matrices as integers of 8 bits with a scale for each output channel, which makes a
   * quarter of it, and the rest in 32 bits. Default `'float32'`. */
  precision?: 'int8' | 'float16' | 'float32'
  /** Text that is stored beside the weights: what they are, how they were trained, their licence. */
  metadata?: Record<string, string>
}

/** A weight of a network of tfjs-layers. */
export interface LayersWeight {
  /** `layer/variable`, the same in every process. */
  name: string
  /** The variable's value; belongs to the network. */
  value: Tensor
  /** Whether an optimiser changes it; the moving averages of a batch normalisation are not. */
  trainable: boolean
  /** Replaces the value; the caller keeps `value`. */
  write(value: Tensor): void
}

/** The weights of a network of tfjs-layers by name, moving averages included, in the order of its layers.
 *
 * tfjs-layers numbers the names of variables when a network is made twice in one process; these names are those from before.
 *
 * @throws {ModelFormatError} when two weights have the same name, as those of layers within layers can
 */
export function layersWeights(model: LayersModel): LayersWeight[] {
  const names = new Set<string>()
  return model.weights.map((variable) => {
    const name = variable.originalName
    if (names.has(name)) {
      throw new ModelFormatError(
        `layersWeights: two weights of "${model.name}" are named "${name}"; name the layers apart`,
      )
    }
    names.add(name)
    return {
      name,
      value: variable.read(),
      trainable: variable.trainable,
      write: (value: Tensor) => void variable.write(value),
    }
  })
}

/** Writes the weights of a network of tfjs-layers as a safetensors file: its variables by name, moving averages included.
 *
 * @param model - a network whose variables exist: built, not only described
 * @returns the file's bytes; the same weights give the same bytes
 * @differentiable no
 * @memory leaves the network's variables alone
 * @throws {ModelFormatError} when two weights have the same name
 * @example
 * await writeFileAtomic('segmenter.safetensors', await saveLayersWeights(model, { precision: 'float16' }))
 */
export async function saveLayersWeights(
  model: LayersModel,
  options: SaveLayersWeightsOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { precision = 'float32', metadata = {} } = options
  const entries = await Promise.all(
    layersWeights(model).map(async ({ name, value }): Promise<[string, SafetensorsEntry][]> => {
      const data = Float32Array.from(await value.data())
      if (precision === 'int8') return quantizedEntries(name, value.shape, data)
      return [[name, { shape: value.shape, data, type: precision === 'float16' ? 'F16' : 'F32' }]]
    }),
  )
  return writeSafetensors({ metadata, tensors: new Map(entries.flat()) })
}

/** Reads the weights of a network of tfjs-layers from a safetensors file of `saveLayersWeights`. Changes nothing unless all of them fit.
 *
 * @param model - the network that they are for; its variables are assigned in place
 * @param bytes - the whole file
 * @param who - what is being read, begins the messages, e.g. `"loadSegmenter: segmenter.safetensors"`
 * @returns the file's metadata
 * @differentiable no
 * @memory keeps nothing but the network's variables
 * @throws {ModelFormatError} when the file is damaged, or lacks a weight, has one too many, or one of another shape or with a value
 *   that is no number
 */
export function loadLayersWeights(
  model: LayersModel,
  bytes: Uint8Array,
  who = 'loadLayersWeights',
): Record<string, string> {
  const { metadata, tensors: stored } = readSafetensors(bytes, who)
  const tensors = dequantizeEntries(stored, who)
  const weights = layersWeights(model)
  const fail = (what: string) =>
    new ModelFormatError(`${who}: ${what}; was the file saved from a network of the same architecture?`)
  for (const { name, value } of weights) {
    const entry = tensors.get(name)
    if (!entry) throw fail(`weight "${name}" [${value.shape.join(', ')}] of "${model.name}" is missing`)
    if (entry.shape.join() !== value.shape.join()) {
      throw fail(
        `weight "${name}" is [${entry.shape.join(', ')}], "${model.name}" needs [${value.shape.join(', ')}]`,
      )
    }
    if (!entry.data.every(Number.isFinite)) throw fail(`weight "${name}" holds values that are no numbers`)
  }
  if (tensors.size > weights.length) {
    const known = new Set(weights.map(({ name }) => name))
    const foreign = [...tensors.keys()].find((name) => !known.has(name))
    throw fail(`weight "${foreign}" is unknown to "${model.name}"`)
  }
  for (const { name, value, write } of weights) {
    const loaded = tensor(new Float32Array(tensors.get(name)!.data), value.shape, 'float32')
    write(loaded)
    loaded.dispose()
  }
  return metadata
}
