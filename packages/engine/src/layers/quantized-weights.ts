import { ModelFormatError, type SafetensorsEntry } from '@facekit/core'

/** What is added to the name of a quantised weight for that of its scales. */
const SCALE = '/scale_of_8_bits'
/** Weights of fewer numbers are not worth it. */
const FEWEST = 256
const LARGEST = 127
const MIDDLE = 128

/** Output channels of a filter or matrix: its last axis, of a depthwise filter `[kh, kw, C, 1]` the last two. */
const channelsOf = (shape: readonly number[]): number =>
  shape.length === 4 && shape[3] === 1 ? shape[2] : shape.at(-1)!

/** A weight as integers of 8 bits, 128 is 0, with a scale for each output channel; vectors and small weights stay as they are.
 *
 *     value = (integer - 128) scale_c,    scale_c = max |value_c| / 127
 *
 * @returns entries of a safetensors file
 */
export function quantizedEntries(
  name: string,
  shape: readonly number[],
  values: Float32Array,
): [string, SafetensorsEntry][] {
  if (shape.length < 2 || values.length < FEWEST)
    return [[name, { shape: [...shape], data: values, type: 'F32' }]]
  const channels = channelsOf(shape)
  const scales = new Float32Array(channels)
  for (let i = 0; i < values.length; i++)
    scales[i % channels] = Math.max(scales[i % channels], Math.abs(values[i]) / LARGEST)
  const data = Uint8Array.from(values, (value, i) => {
    const scale = scales[i % channels]
    return MIDDLE + (scale > 0 ? Math.round(value / scale) : 0)
  })
  return [
    [name, { shape: [...shape], data, type: 'U8' }],
    [name + SCALE, { shape: [channels], data: scales, type: 'F32' }],
  ]
}

/** The entries of a file with the quantised ones made numbers of 32 bits again.
 *
 * @throws {ModelFormatError} when one has no scales, or not as many as it has channels
 */
export function dequantizeEntries(
  entries: ReadonlyMap<string, SafetensorsEntry>,
  who: string,
): Map<string, SafetensorsEntry> {
  const result = new Map<string, SafetensorsEntry>()
  for (const [name, entry] of entries) {
    const of = name.endsWith(SCALE) ? entries.get(name.slice(0, -SCALE.length)) : undefined
    if (of?.data instanceof Uint8Array) continue
    result.set(name, entry.data instanceof Uint8Array ? dequantized(name, entry, entries, who) : entry)
  }
  return result
}

function dequantized(
  name: string,
  { shape, data }: SafetensorsEntry,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  who: string,
): SafetensorsEntry {
  const channels = channelsOf(shape)
  const scales = entries.get(name + SCALE)?.data
  if (!(scales instanceof Float32Array) || scales.length !== channels) {
    throw new ModelFormatError(
      `${who}: weight "${name}" of 8 bits has ${scales === undefined ? 'no scales' : `${scales.length} scales`}, expected ${channels}; save the network again`,
    )
  }
  return { shape, data: scaledBytes(data as Uint8Array, scales), type: 'F32' }
}

/** Weights of 8 bits as numbers: `(byte - 128) scale_c`, where the channel `c` runs fastest.
 *
 * @param bytes - as many as a multiple of the scales
 */
export function scaledBytes(bytes: Uint8Array, scales: Float32Array): Float32Array<ArrayBuffer> {
  // Millions of them in a network: `from` with a function takes ten times as long.
  const values = new Float32Array(bytes.length)
  for (let i = 0, c = 0; i < bytes.length; i++) {
    values[i] = (bytes[i] - MIDDLE) * scales[c]
    if (++c === scales.length) c = 0
  }
  return values
}
