import { crc32c } from './crc32c.js'

/** A picture for TensorBoard. */
export interface EventImage {
  /** A PNG file. */
  png: Uint8Array
  width: number
  height: number
}

/** What an event file says at one iteration. */
export interface TrainingEvent {
  /** Seconds since 1970. */
  time: number
  step: number
  scalars?: Readonly<Record<string, number>>
  images?: Readonly<Record<string, EventImage>>
  /** The first event of a file. */
  version?: string
  /** A run begins or goes on here: TensorBoard forgets later steps of files before. */
  starts?: boolean
}

/** The bytes of an event in a TensorBoard event file: a record of TensorFlow's TFRecord format around an `Event` protocol buffer.
 *
 * length (8 bytes), its masked CRC, the event, its masked CRC; masked: rotated right by 15 bits, plus 0xa282ead8
 */
export function encodeEvent(event: TrainingEvent): Uint8Array<ArrayBuffer> {
  const data = encodeFields(event)
  const record = new Uint8Array(data.length + 16)
  const view = new DataView(record.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(8, masked(record.subarray(0, 8)), true)
  record.set(data, 12)
  view.setUint32(12 + data.length, masked(data), true)
  return record
}

/** Numbers of the fields of tensorflow/core/util/event.proto and framework/summary.proto. */
function encodeFields({ time, step, scalars = {}, images = {}, version, starts }: TrainingEvent): Uint8Array {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => join([text(1, tag), float(2, value)])),
    ...Object.entries(images).map(([tag, { png, width, height }]) =>
      join([
        text(1, tag),
        bytes(4, join([varint(1, height), varint(2, width), varint(3, 3), bytes(4, png)])),
      ]),
    ),
  ]
  return join([
    double(1, time),
    varint(2, step),
    ...(version === undefined ? [] : [text(3, version)]),
    ...(values.length > 0 ? [bytes(5, join(values.map((value) => bytes(1, value))))] : []),
    ...(starts ? [bytes(7, varint(1, 1))] : []),
  ])
}

type Bytes = ArrayLike<number>

/** Seven bits at a time, the lowest first. */
function base128(value: number): number[] {
  const digits: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) digits.push((value % 128) | 128)
  return [...digits, value]
}

/** Ways in which a field is stored. */
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5]
const varint = (field: number, value: number) => [...base128(field * 8 + VARINT), ...base128(value)]
const bytes = (field: number, data: Bytes) => join([base128(field * 8 + LENGTH), base128(data.length), data])
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value))
const double = (field: number, value: number) => [
  field * 8 + FIXED64,
  ...new Uint8Array(Float64Array.of(value).buffer),
]
const float = (field: number, value: number) => [
  field * 8 + FIXED32,
  ...new Uint8Array(Float32Array.of(value).buffer),
]

function join(parts: readonly Bytes[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

function masked(data: Uint8Array): number {
  const value = crc32c(data)
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0
}
