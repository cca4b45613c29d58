import type { FaceSample } from '@facekit/dataset'
import { encodePng } from '@facekit/export'
import { buildParameters, parameterParts, partOf } from '@facekit/parameters'
import { disposeBatch, type FaceSynthesizer, type SyntheticBatch } from '@facekit/synthetic'
import type { Tensor } from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import type { DatasetBuildConfig } from './dataset-build-config.js'

/** Which pictures, and when to stop. */
export interface RenderRange {
  /** Number of the first, and of the one after the last. */
  first: number
  last: number
  config: DatasetBuildConfig
  signal: AbortSignal
}

/** Renders pictures as samples of a data set. The batch begins anew at `first`: what was rendered before makes no difference to a bit.
 *
 * @throws the signal's reason when it is aborted
 */
export async function* renderSamples(
  synthesizer: FaceSynthesizer,
  { first, last, config, signal }: RenderRange,
  onProgress: (done: number) => void,
): AsyncGenerator<FaceSample> {
  synthesizer.restore({ ...synthesizer.state(), picture: first })
  for (let next = first; next < last;) {
    signal.throwIfAborted()
    const batch = synthesizer.next()
    const pictures = await readBatch(batch)
    disposeBatch(batch)
    for (let i = 0; i < pictures.count && next < last; i++, next++) {
      yield sampleOf(pictures, i, next, config)
      onProgress(next + 1)
    }
  }
}

type Values = Float32Array | Int32Array

/** A batch in the CPU's memory. */
interface ReadBatch {
  count: number
  size: number
  /** Values of one picture. */
  of(name: keyof SyntheticBatch | `parameters.${string}`, index: number): Float32Array
}

async function readBatch(batch: SyntheticBatch): Promise<ReadBatch> {
  const { parameters, ...plain } = batch
  const tensors: Record<string, Tensor> = { ...plain }
  for (const part of parameterParts) tensors[`parameters.${part.name}`] = partOf(parameters, part)
  const entries = await Promise.all(
    Object.entries(tensors).map(async ([name, tensor]) => [name, (await tensor.data()) as Values] as const),
  )
  const values = Object.fromEntries(entries)
  const [count, size] = batch.image.shape
  return {
    count,
    size,
    of: (name, index) => {
      const width = values[name].length / count
      return Float32Array.from(values[name].subarray(index * width, (index + 1) * width))
    },
  }
}

/** Name of the picture of a number. */
export const sampleKey = (picture: number): string => `synthetic-${String(picture).padStart(8, '0')}`

function sampleOf(batch: ReadBatch, index: number, picture: number, config: DatasetBuildConfig): FaceSample {
  const { size } = batch
  const of = (name: Parameters<ReadBatch['of']>[0]) => batch.of(name, index)
  const mask = (name: 'faceRegion' | 'innerMouth' | 'skin') =>
    ndarray(of(name), [size, size]) as NdArray<Float32Array>
  const bytes = (values: Float32Array) =>
    Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))
  const [x, y, width, height] = of('box')
  const files: Record<string, Uint8Array> = {}
  if (config.labels) {
    files['labels.png'] = encodePng(ndarray(Uint8Array.from(of('labels')), [size, size]))
  }
  if (config.normals) files['normals.png'] = encodePng(ndarray(encodeNormals(of('normals')), [size, size, 3]))
  return {
    key: sampleKey(picture),
    identity: `person-${of('identityIds')[0]}`,
    image: ndarray(bytes(of('image')), [size, size, 3]),
    annotation: {
      box: { x, y, width, height },
      score: 1,
      // The picture is its own crop.
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      landmarks: ndarray(of('landmarks'), [68, 2]),
      landmarkVisibility: of('landmarkVisibility'),
      faceRegion: mask('faceRegion'),
      innerMouth: mask('innerMouth'),
      skinProbability: mask('skin'),
      embedding: new Float32Array(0),
    },
    parameters: buildParameters(({ name }) => of(`parameters.${name}`)),
    files,
  }
}

/** -1..1 as 1..255, with 128 for 0; black where there is no surface. */
function encodeNormals(normals: Float32Array): Uint8Array {
  const result = new Uint8Array(normals.length)
  for (let i = 0; i < normals.length; i += 3) {
    if (normals[i] === 0 && normals[i + 1] === 0 && normals[i + 2] === 0) continue
    for (let c = 0; c < 3; c++)
      result[i + c] = Math.round(128 + 127 * Math.min(1, Math.max(-1, normals[i + c])))
  }
  return result
}
