import { ModelFormatError, readSafetensors } from '@facekit/core'
import { readMouthModel, type MouthModel } from './mouth-model.js'

/** What a head has beyond the face of the base model: ears, neck, the back. Plain data. */
export interface HeadModel {
  readonly name: string
  /** Licence of the data. */
  readonly license: string
  /** Where the data comes from and how it was made. */
  readonly origin: string
  /** Vertices of the face next to the rest: first those of its rim, in their order along it, then two rings behind them. */
  readonly border: Int32Array
  /** How many vertices the rim has. */
  readonly rimLength: number
  /** `[B * 3]` mm, where the mean face has its border. */
  readonly borderMean: Float32Array
  /** `[M * 3]` mm, the rest of the mean face's head. */
  readonly mean: Float32Array
  /** `[F * 3]` of the rest: below `rimLength` places in the rim, from there on vertices of the rest; counter-clockwise seen from outside. */
  readonly triangles: Int32Array
  /** Vertices of the face that tell what the rest is like, and where the mean face has them: `[P]`, `[P * 3]` mm. */
  readonly points: Int32Array
  readonly pointsMean: Float32Array
  /** `[R][(B + M) * 3]` mm: modes of border and rest. */
  readonly fields: readonly Float32Array[]
  /** `[R][P * 3]`: the points' distances from the mean, times these, summed up, are how far each mode is on. */
  readonly weights: readonly Float32Array[]
  /** Teeth, gums, tongue and what is around them. */
  readonly mouth: MouthModel
}

/** Unpacks a head's model from the bytes of its file.
 *
 * @throws {ModelFormatError} when the file is damaged, or of another kind or version
 */
export function readHeadModel(bytes: Uint8Array): HeadModel {
  const { metadata, tensors } = readSafetensors(bytes, 'loadHeadModel')
  if (metadata.format !== 'facekit-head-model' || metadata.version !== '3')
    throw new ModelFormatError(
      `loadHeadModel: expected a facekit-head-model file of version 3, got ${metadata.format ?? 'another format'} ${metadata.version ?? ''}; use the data/head.safetensors of the same @facekit/base-model`,
    )
  const tensor = (name: string, width?: number) => {
    const found = tensors.get(name)
    if (!found || (width !== undefined && found.data.length % width !== 0))
      throw new ModelFormatError(
        `loadHeadModel: the file has ${found ? 'a damaged' : 'no'} tensor "${name}"; reinstall @facekit/base-model`,
      )
    return found.data as ArrayLike<number>
  }
  const scales = tensor('fields_scale')
  const modes = scales.length
  const rows = (name: string, count: number, scale?: ArrayLike<number>) => {
    const data = tensor(name, 3 * count)
    const size = data.length / count
    return Array.from({ length: count }, (_, k) =>
      Float32Array.from({ length: size }, (_, i) => data[k * size + i] * (scale?.[k] ?? 1)),
    )
  }
  return {
    name: metadata.name ?? 'facekit-head',
    license: metadata.license ?? '',
    origin: metadata.origin ?? '',
    border: Int32Array.from(tensor('border')),
    rimLength: tensor('rim_length')[0],
    borderMean: Float32Array.from(tensor('border_mean', 3)),
    mean: Float32Array.from(tensor('mean', 3)),
    triangles: Int32Array.from(tensor('triangles', 3)),
    points: Int32Array.from(tensor('points')),
    pointsMean: Float32Array.from(tensor('points_mean', 3)),
    fields: rows('fields', modes, scales),
    weights: rows('weights', modes),
    mouth: readMouthModel({ tensor, rows }, metadata.mouth_motions ?? '[]', modes),
  }
}
