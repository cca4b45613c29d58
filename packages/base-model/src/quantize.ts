import type { SafetensorsEntry } from '@facekit/core'

/** Whole numbers for several fields of the same length, each with its own scale: value = integer * scale. */
export function quantizeFields(
  name: string,
  fields: readonly Float64Array[],
  shape: readonly number[],
  bits: 8 | 16,
): [string, SafetensorsEntry][] {
  const limit = bits === 8 ? 127 : 32767
  const length = fields[0].length
  const data = bits === 8 ? new Int8Array(fields.length * length) : new Int16Array(fields.length * length)
  const scales = new Float32Array(fields.length)
  fields.forEach((field, k) => {
    const largest = field.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    scales[k] = largest / limit || 1
    field.forEach((value, i) => {
      data[k * length + i] = Math.round(value / scales[k]) || 0
    })
  })
  return [
    [name, { shape: [fields.length, ...shape], data }],
    [`${name}_scale`, { shape: [fields.length], data: scales }],
  ]
}

/** Lists of different lengths in one tensor, with the place where each one starts. */
export function packLists(name: string, lists: readonly (readonly number[])[]): [string, SafetensorsEntry][] {
  const starts = [0]
  for (const list of lists) starts.push(starts.at(-1)! + list.length)
  return [
    [name, { shape: [starts.at(-1)!], data: Uint16Array.from(lists.flat()) }],
    [`${name}_starts`, { shape: [starts.length], data: Uint32Array.from(starts) }],
  ]
}
