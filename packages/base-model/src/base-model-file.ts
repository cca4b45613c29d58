import { ModelFormatError, readSafetensors, type SafetensorsFile } from '@facekit/core'

/** The base model's file, opened. */
export class BaseModelFile {
  private readonly file: SafetensorsFile

  constructor(bytes: Uint8Array) {
    this.file = readSafetensors(bytes, 'loadBaseModel')
    const { format, version } = this.file.metadata
    if (format !== 'facekit-base-model' || version !== '1') {
      throw new ModelFormatError(
        `loadBaseModel: expected a facekit-base-model file of version 1, got ${format ?? 'another format'} ${version ?? ''}; ` +
          'use the data/base-model.safetensors of the same @facekit/base-model, or loadMorphableModel for other models',
      )
    }
  }

  /** The tensor's numbers and shape. */
  tensor(name: string): { data: ArrayLike<number>; shape: readonly number[] } {
    const entry = this.file.tensors.get(name)
    if (!entry)
      throw new ModelFormatError(
        `loadBaseModel: the file has no tensor "${name}"; reinstall @facekit/base-model`,
      )
    return entry
  }

  has(name: string): boolean {
    return this.file.tensors.has(name)
  }

  /** All tensors as they are in the file. */
  entries(): SafetensorsFile['tensors'] {
    return this.file.tensors
  }

  /** The header's texts. */
  metadata(): Record<string, string> {
    return { ...this.file.metadata }
  }

  text(key: string): string {
    const value = this.file.metadata[key]
    if (value === undefined) {
      throw new ModelFormatError(
        `loadBaseModel: the file's header has no "${key}"; reinstall @facekit/base-model`,
      )
    }
    return value
  }

  names(key: string): string[] {
    try {
      const names: unknown = JSON.parse(this.text(key))
      if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
    } catch (error) {
      if (error instanceof ModelFormatError) throw error
    }
    throw new ModelFormatError(
      `loadBaseModel: "${key}" in the file's header is no list of names; reinstall @facekit/base-model`,
    )
  }

  indices(name: string): Int32Array {
    return Int32Array.from(this.tensor(name).data)
  }

  floats(name: string): Float32Array {
    return Float32Array.from(this.tensor(name).data)
  }

  /** Lists of different lengths, from `name` and `name_starts`. */
  lists(name: string): Int32Array[] {
    const values = this.indices(name)
    const starts = this.indices(`${name}_starts`)
    return Array.from({ length: starts.length - 1 }, (_, i) => values.slice(starts[i], starts[i + 1]))
  }

  /** Fields stored as whole numbers with one scale each: `[K][...]`, all in one array. */
  fields(name: string): { values: Float32Array; count: number } {
    const { data, shape } = this.tensor(name)
    const scales = this.floats(`${name}_scale`)
    const size = data.length / shape[0]
    const values = new Float32Array(data.length)
    for (let k = 0; k < shape[0]; k++) {
      for (let i = 0; i < size; i++) values[k * size + i] = data[k * size + i] * scales[k]
    }
    return { values, count: shape[0] }
  }
}
