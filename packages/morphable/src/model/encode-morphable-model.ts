import { ValueError, writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import type { NdArray } from 'ndarray'
import { denseData } from './dense-data.js'
import type { MorphableModel } from './morphable-model.js'
import { validateModel } from './validate-model.js'

/** What the header of a model's file says about its format. */
export const MODEL_FORMAT = { format: 'facekit-morphable-model', version: '1', unit: 'mm' } as const

/** Options of `encodeMorphableModel` and `saveMorphableModel`. */
export interface EncodeModelOptions {
  /** `'float16'` stores the modes in half precision, which halves the file; means and texture coordinates stay whole.
   * Default `'float32'`. */
  precision?: 'float32' | 'float16'
}

/** Writes a model as the bytes of one .safetensors file; the same model gives the same bytes.
 *
 * The header holds format, version, name, unit, licence and origin, the names and the range of expressions. Indices are stored
 * in 16 bits where they fit.
 *
 * @throws {ModelFormatError} when the model is not whole, see `validateModel`
 * @throws {ValueError} for an unknown precision, or modes that are too large for half precision
 */
export function encodeMorphableModel(
  model: MorphableModel,
  options: EncodeModelOptions = {},
): Uint8Array<ArrayBuffer> {
  const { precision = 'float32' } = options
  if (precision !== 'float32' && precision !== 'float16') {
    throw new ValueError(
      `encodeMorphableModel: precision is ${String(precision)}, expected 'float32' or 'float16'`,
    )
  }
  validateModel(model, 'encodeMorphableModel')
  const { shape, albedo, jawContours, regions = {} } = model
  const tensors = new Map<string, SafetensorsEntry>()
  const numbers = (name: string, array: NdArray<Float32Array>, type: 'F32' | 'F16' = 'F32') => {
    const data = denseData(array)
    if (type === 'F16' && data.some((value) => Math.abs(value) > 65504)) {
      throw new ValueError(
        `encodeMorphableModel: ${name} exceeds 65504, the largest half-precision number; use precision 'float32'`,
      )
    }
    tensors.set(name, { shape: [...array.shape], data, type })
  }
  const indices = (name: string, list: ArrayLike<number>) =>
    tensors.set(name, {
      shape: [list.length],
      data: model.vertexCount <= 65536 ? Uint16Array.from(list) : Int32Array.from(list),
    })
  const modes = precision === 'float16' ? 'F16' : 'F32'
  numbers('shape.mean', shape.mean)
  numbers('shape.identity', shape.identity, modes)
  numbers('shape.expression', shape.expression, modes)
  numbers('albedo.diffuseMean', albedo.diffuseMean)
  numbers('albedo.diffuse', albedo.diffuse, modes)
  numbers('albedo.specularMean', albedo.specularMean)
  numbers('albedo.specular', albedo.specular, modes)
  if (model.uv) numbers('uv', model.uv)
  indices('triangles', model.triangles)
  if (model.polygons) {
    tensors.set('polygons', { shape: [model.polygons.length], data: model.polygons })
  }
  indices('landmarks', model.landmarks)
  if (model.denseLandmarks) indices('denseLandmarks', model.denseLandmarks)
  if (model.denseMirror) indices('denseMirror', model.denseMirror)
  indices('innerMouthTriangles', model.innerMouthTriangles)
  if (jawContours) {
    indices(
      'jawContours',
      jawContours.flatMap((row) => [...row]),
    )
    const lengths = Int32Array.from(jawContours, (row) => row.length)
    tensors.set('jawContours.lengths', { shape: [lengths.length], data: lengths })
  }
  for (const name of Object.keys(regions).toSorted()) indices(`regions.${name}`, regions[name])
  const metadata: Record<string, string> = {
    ...MODEL_FORMAT,
    name: model.name,
    license: model.license,
    origin: model.origin,
  }
  if (shape.expressionNames) metadata.expressionNames = JSON.stringify(shape.expressionNames)
  if (shape.expressionRange) metadata.expressionRange = JSON.stringify(shape.expressionRange)
  return writeSafetensors({ metadata, tensors })
}
