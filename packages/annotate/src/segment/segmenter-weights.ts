import { assertTensorsFill, ModelFormatError, readSafetensors } from '@facekit/core'
import { loadLayersWeights } from '@facekit/engine'
import { readShippedWeights } from '../network-weights.js'
import { createSegmenter, foldSegmenter, type Segmenter } from './segmenter.js'

/** Options of `loadSegmenter`. */
export interface LoadSegmenterOptions {
  /** Bytes of a file of `saveSegmenter`. Default: the weights that come with the package. */
  weights?: Uint8Array
  /** Whether it can be trained further; then it isn't folded, and slower. Default false. */
  trainable?: boolean
  /** Outputs of the network that are used, counted from the shallowest. Default all; fewer are faster. */
  depth?: number
}

/** Loads a segmenter: the one that comes with the package, or one that `saveSegmenter` wrote.
 *
 * @returns a segmenter on the current backend, folded for inference unless `trainable`; the caller disposes it
 * @throws {ModelFormatError} when the weights cannot be read
 * @throws {ValueError} when `depth` is out of range
 * @example
 * const segmenter = await loadSegmenter()
 * const { classes, faceRegion } = await segmenter.segment(cropFace(picture, landmarks).image)
 */
export async function loadSegmenter(options: LoadSegmenterOptions = {}): Promise<Segmenter> {
  const { weights, trainable = false, depth } = options
  return openSegmenter(weights ?? (await readShippedWeights('segmenter')), trainable, depth)
}

/** As `loadSegmenter`, from bytes. */
export function openSegmenter(bytes: Uint8Array, trainable: boolean, depth?: number): Segmenter {
  const who = 'loadSegmenter'
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== 'facekit-segmenter' || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who}: the file holds "${metadata.format ?? 'no format'} ${metadata.version ?? ''}", expected "facekit-segmenter 1"; write it with saveSegmenter`,
    )
  }
  const network = parseNetwork(metadata.network, who)
  const used = network.widths.slice(0, network.depth + 1)
  // Each level has a convolution within itself.
  assertTensorsFill(
    who,
    tensors,
    used.reduce((sum, width) => sum + width ** 2, 0),
  )
  const segmenter = createSegmenter({ ...network, empty: true })
  try {
    loadLayersWeights(segmenter.model, bytes, who)
    if (trainable) return segmenter
    const folded = foldSegmenter(segmenter, { depth })
    segmenter.dispose()
    return folded
  } catch (error) {
    segmenter.dispose()
    throw error
  }
}

function parseNetwork(text: string | undefined, who: string) {
  try {
    const network = JSON.parse(text ?? '') as Record<string, unknown>
    const { inputSize, widths, classes, depth } = network
    const isNumber = (value: unknown): value is number => Number.isInteger(value)
    if (isNumber(inputSize) && isNumber(classes) && isNumber(depth)) {
      if (Array.isArray(widths) && widths.every(isNumber)) return { inputSize, widths, classes, depth }
    }
  } catch {
    // reported below
  }
  throw new ModelFormatError(`${who}: the file doesn't say the network's shape; write it with saveSegmenter`)
}
