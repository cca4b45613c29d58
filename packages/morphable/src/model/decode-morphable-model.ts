import { ModelFormatError, readSafetensors, type SafetensorsEntry, type SafetensorsFile } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { MODEL_FORMAT } from './encode-morphable-model.js'
import type { MorphableModel } from './morphable-model.js'
import { validateModel } from './validate-model.js'

/** Reads a model from the bytes of a file that `encodeMorphableModel` wrote. No code runs; every size, index and number is
 * checked.
 *
 * @param who - begins the messages, e.g. with the file's name
 * @throws {ModelFormatError} when the bytes are truncated, damaged, of another version or of another kind
 */
export function decodeMorphableModel(bytes: Uint8Array, who = 'decodeMorphableModel'): MorphableModel {
  const file = readSafetensors(bytes, who)
  checkFormat(file.metadata, who)
  const reader = new Reader(file, who)
  const mean = reader.numbers('shape.mean', 2)
  const identity = reader.numbers('shape.identity', 3)
  const expression = reader.numbers('shape.expression', 3)
  const diffuse = reader.numbers('albedo.diffuse', 3)
  const expressionNames = reader.list('expressionNames', 'string')
  const expressionRange = reader.range('expressionRange')
  const model: MorphableModel = {
    name: reader.text('name'),
    license: reader.text('license'),
    origin: reader.text('origin'),
    vertexCount: mean.shape[0],
    triangles: reader.indices('triangles'),
    ...(file.tensors.has('polygons') && { polygons: reader.indices('polygons') }),
    landmarks: reader.indices('landmarks'),
    ...(file.tensors.has('denseLandmarks') && { denseLandmarks: reader.indices('denseLandmarks') }),
    ...(file.tensors.has('denseMirror') && { denseMirror: reader.indices('denseMirror') }),
    innerMouthTriangles: reader.indices('innerMouthTriangles'),
    ...(file.tensors.has('jawContours') && { jawContours: reader.rows('jawContours') }),
    ...(file.tensors.has('uv') && { uv: reader.numbers('uv', 2) }),
    ...(reader.names('regions.').length > 0 && { regions: reader.regions() }),
    shape: {
      mean,
      identity,
      expression,
      ...(expressionNames && { expressionNames: expressionNames as string[] }),
      ...(expressionRange && { expressionRange }),
    },
    albedo: {
      diffuseMean: reader.numbers('albedo.diffuseMean', 2),
      diffuse,
      specularMean: reader.numbers('albedo.specularMean', 2),
      specular: reader.numbers('albedo.specular', 3),
    },
    layout: { identity: identity.shape[0], expression: expression.shape[0], albedo: diffuse.shape[0] },
  }
  validateModel(model, who)
  return model
}

function checkFormat(metadata: Record<string, string>, who: string): void {
  const { format, version, unit } = metadata
  if (format !== MODEL_FORMAT.format) {
    throw new ModelFormatError(
      `${who}: the file's format is ${format === undefined ? 'not given' : `"${format}"`}, expected "${MODEL_FORMAT.format}"; write face models with saveMorphableModel`,
    )
  }
  if (version !== MODEL_FORMAT.version) {
    throw new ModelFormatError(
      `${who}: the file has version ${String(version)}, expected ${MODEL_FORMAT.version}; use the facekit that wrote it, or write it again`,
    )
  }
  if (unit !== MODEL_FORMAT.unit) {
    throw new ModelFormatError(`${who}: the unit is ${String(unit)}, expected ${MODEL_FORMAT.unit}`)
  }
}

/** Takes parts out of a file and names the one that is wrong. */
class Reader {
  constructor(
    private readonly file: SafetensorsFile,
    private readonly who: string,
  ) {}

  fail(what: string): never {
    throw new ModelFormatError(`${this.who}: ${what}; the file is damaged`)
  }

  entry(name: string): SafetensorsEntry {
    return this.file.tensors.get(name) ?? this.fail(`tensor "${name}" is missing`)
  }

  numbers(name: string, rank: number): NdArray<Float32Array> {
    const { data, shape } = this.entry(name)
    if (!(data instanceof Float32Array) || shape.length !== rank) {
      return this.fail(
        `tensor "${name}" has shape [${shape.join(', ')}], expected floats of ${rank} dimensions`,
      )
    }
    return ndarray(data, [...shape])
  }

  indices(name: string): Int32Array {
    const { data, shape } = this.entry(name)
    if (shape.length !== 1 || !(data instanceof Int32Array || data instanceof Uint16Array)) {
      return this.fail(`tensor "${name}" is no list of vertices`)
    }
    return Int32Array.from(data)
  }

  rows(name: string): Int32Array[] {
    const values = this.indices(name)
    const lengths = this.indices(`${name}.lengths`)
    let start = 0
    const rows = Array.from(lengths, (length) => {
      const row = values.slice(start, start + length)
      start += length
      return row
    })
    if (start !== values.length || lengths.some((length) => length < 0)) {
      this.fail(`the rows of "${name}" do not add up to its ${values.length} vertices`)
    }
    return rows
  }

  names(prefix: string): string[] {
    return [...this.file.tensors.keys()].filter((key) => key.startsWith(prefix))
  }

  regions(): Record<string, Int32Array> {
    return Object.fromEntries(
      this.names('regions.').map((key) => [key.slice('regions.'.length), this.indices(key)]),
    )
  }

  text(key: string): string {
    return this.file.metadata[key] ?? this.fail(`the header has no "${key}"`)
  }

  /** Two numbers of the header: the smallest and the largest. */
  range(key: string): [number, number] | undefined {
    const list = this.list(key, 'number')
    if (list === undefined) return undefined
    const [least, most] = list.map(Number)
    return list.length === 2
      ? [least, most]
      : this.fail(`"${key}" in the header has ${list.length} numbers, expected 2`)
  }

  list(key: string, type: 'string' | 'number'): (string | number)[] | undefined {
    const text = this.file.metadata[key]
    if (text === undefined) return undefined
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      value = undefined
    }
    if (!Array.isArray(value) || value.some((item) => typeof item !== type)) {
      return this.fail(`"${key}" in the header is no list of ${type}s`)
    }
    return value as (string | number)[]
  }
}
