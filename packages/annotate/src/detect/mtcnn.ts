import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import ndarray from 'ndarray'
import {
  ModelFormatError,
  type SafetensorsEntry,
  assertInRange,
  assertInteger,
  readSafetensors,
  writeSafetensors,
} from '@facekit/core'
import { layersWeights, loadLayersWeights, saveLayersWeights } from '@facekit/engine'
import type { FaceDetection } from './detector-network.js'
import { createPyramid } from './image-pyramid.js'
import { runCascade, type MtcnnModels } from './mtcnn-cascade.js'
import { createMtcnnNetwork, mtcnnStages, type MtcnnStage } from './mtcnn-networks.js'
import { readShippedWeights } from '../network-weights.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'

/** Options of `Mtcnn.detect`. */
export interface MtcnnDetectOptions {
  /** Least score of a face, that of the last stage, 0..1. Default 0.7. */
  minScore?: number
  /** Least scores of the first two stages. Default 0.6 and 0.7. */
  thresholds?: readonly [proposal: number, refinement: number]
  /** Smallest face that is looked for, in pixels. Default: a 24th of the picture's shorter side, at least 20. */
  minSize?: number
  /** Ratio of neighbouring sizes of the picture. Default 0.709. */
  factor?: number
  /** Most faces to return, those with the highest scores. Default: all. */
  maxFaces?: number
}

/** Finds faces and five points of each by a cascade of three small networks. */
export interface Mtcnn {
  /** The networks, for `runTraining` and the like. */
  readonly models: MtcnnModels
  /** Finds faces: takes the place of `detectFaces`, also in `annotate(picture, { detector: mtcnn.detect })`.
   *
   * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1; any size
   * @returns boxes in pixels of the picture, highest score first, each with `fivePoints`; not clipped to the picture
   * @differentiable no
   * @memory plain data
   * @throws {ShapeError} when the picture is not `[H, W, 3]`
   * @throws {ImageError} when it is absurdly large or not finite
   * @throws {ValueError} when an option is out of range
   */
  detect(this: void, picture: Picture | Tensor3D, options?: MtcnnDetectOptions): Promise<FaceDetection[]>
  /** Frees the networks. */
  dispose(): void
}

/** Makes an MTCNN that knows nothing yet, to be trained with `mtcnnLoss`.
 *
 * @throws {ValueError} when the seed is no whole number
 */
export function createMtcnn(options: { seed?: number } = {}): Mtcnn {
  const { seed = 1 } = options
  assertInteger('createMtcnn: seed', seed, 0, 2 ** 31)
  const made = mtcnnStages.map((stage, i) => [stage, createMtcnnNetwork(stage, seed + 100 * i)] as const)
  const models = Object.fromEntries(made) as unknown as Record<MtcnnStage, LayersModel>
  return {
    models,
    async detect(picture, options = {}) {
      const { minScore = 0.7, thresholds = [0.6, 0.7], factor = 0.709, maxFaces = Infinity } = options
      const who = 'Mtcnn.detect'
      assertInRange(`${who}: minScore`, minScore, 0, 1)
      for (const value of thresholds) assertInRange(`${who}: thresholds`, value, 0, 1)
      assertInRange(`${who}: factor`, factor, 0.1, 0.95)
      if (maxFaces !== Infinity) assertInteger(`${who}: maxFaces`, maxFaces, 1)
      const raster = await readRaster(`${who}: picture`, picture)
      const { minSize = Math.max(20, Math.min(raster.width, raster.height) / 24) } = options
      assertInRange(`${who}: minSize`, minSize, 4, Infinity)
      const found = await runCascade(createPyramid(raster), models, 3, {
        minSize,
        factor,
        thresholds: [...thresholds, minScore],
        maxCandidates: 1000,
      })
      return found.slice(0, maxFaces).map(({ box, score, points }) => ({
        box,
        score,
        fivePoints: ndarray(Float32Array.from(points!), [5, 2]),
      }))
    },
    dispose: () => mtcnnStages.forEach((stage) => void models[stage].dispose()),
  }
}

/** Writes the weights of the three networks as one safetensors file. */
export async function saveMtcnn(
  { models }: Mtcnn,
  { precision, metadata }: { precision?: 'float16' | 'float32'; metadata?: Record<string, string> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, SafetensorsEntry>()
  for (const stage of mtcnnStages) {
    const bytes = await saveLayersWeights(models[stage], { precision })
    for (const [name, entry] of readSafetensors(bytes, 'saveMtcnn').tensors) {
      const type = precision === 'float16' ? 'F16' : 'F32'
      tensors.set(`${stage}/${name}`, { shape: entry.shape, data: Float32Array.from(entry.data), type })
    }
  }
  return writeSafetensors({ metadata: { ...metadata, format: 'facekit-mtcnn', version: '1' }, tensors })
}

/** Loads an MTCNN: the one that comes with the package, or one that `saveMtcnn` wrote.
 *
 * @param options - `weights`: bytes of a file of `saveMtcnn`
 * @returns networks on the current backend; the caller disposes them
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const mtcnn = await loadMtcnn()
 * const [face] = await mtcnn.detect(await readPicture('me.jpg'))
 * alignFace(picture, face.fivePoints)
 */
export async function loadMtcnn(options: { weights?: Uint8Array } = {}): Promise<Mtcnn> {
  const bytes = options.weights ?? (await readShippedWeights('mtcnn'))
  const who = 'loadMtcnn'
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== 'facekit-mtcnn' || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who}: the file holds "${metadata.format ?? 'no format'} ${metadata.version ?? ''}", expected "facekit-mtcnn 1"; write it with saveMtcnn`,
    )
  }
  const mtcnn = createMtcnn()
  try {
    for (const stage of mtcnnStages) {
      const own = new Map<string, SafetensorsEntry>()
      for (const { name } of layersWeights(mtcnn.models[stage])) {
        const entry = tensors.get(`${stage}/${name}`)
        if (entry) own.set(name, { shape: entry.shape, data: Float32Array.from(entry.data), type: 'F32' })
      }
      loadLayersWeights(
        mtcnn.models[stage],
        writeSafetensors({ metadata: {}, tensors: own }),
        `${who}: ${stage}`,
      )
    }
    return mtcnn
  } catch (error) {
    mtcnn.dispose()
    throw error
  }
}
