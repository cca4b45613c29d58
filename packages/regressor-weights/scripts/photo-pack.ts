import { readSafetensors, ValueError, writeSafetensors } from '@facekit/core'

/** One photograph of a pack: an aligned crop with its labels, as small as they travel well. */
export interface PackedPhoto {
  /** JPEG of the crop, S x S. */
  jpeg: Uint8Array
  /** `[S/2 * S/2 * 3]`: face region, inner mouth, skin probability, 0..255. */
  masks: Uint8Array
  /** `[68 * 2]` pixels of the crop. */
  landmarks: Float32Array
  /** Number of the person. */
  person: number
  heldOut: boolean
}

const FORMAT = 'facekit-photo-pack'

/** Writes photographs as one safetensors file; masks are compressed by Brotli. Node only. */
export async function writePhotoPack(photos: readonly PackedPhoto[], size: number): Promise<Uint8Array> {
  const { brotliCompressSync, constants } = await import('node:zlib')
  const masks = brotliCompressSync(Buffer.concat(photos.map((photo) => photo.masks)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 7, [constants.BROTLI_PARAM_LGWIN]: 24 },
  })
  const jpegs = Buffer.concat(photos.map(({ jpeg }) => jpeg))
  let end = 0
  const count = photos.length
  return writeSafetensors({
    metadata: { format: FORMAT, size: String(size), count: String(count) },
    tensors: new Map([
      ['jpegs', { shape: [jpegs.length], data: Uint8Array.from(jpegs) }],
      ['ends', { shape: [count], data: Int32Array.from(photos, ({ jpeg }) => (end += jpeg.length)) }],
      ['masks', { shape: [masks.length], data: Uint8Array.from(masks) }],
      [
        'landmarks',
        {
          shape: [count, 68, 2],
          data: Float32Array.from(photos.flatMap(({ landmarks }) => [...landmarks])),
          type: 'F16' as const,
        },
      ],
      ['person', { shape: [count], data: Int32Array.from(photos, ({ person }) => person) }],
      ['heldOut', { shape: [count], data: Uint8Array.from(photos, ({ heldOut }) => Number(heldOut)) }],
    ]),
  })
}

/** Photographs, decoded. */
export interface PhotoSet {
  /** Side S of the crops. */
  size: number
  count: number
  /** `[S * S]` each: red + 256 green + 65536 blue, which float32 holds exactly. */
  pictures: Float32Array[]
  /** `[S/2 * S/2]` each: face region + 256 inner mouth + 65536 skin probability. */
  masks: Float32Array[]
  /** `[68 * 2]` each. */
  landmarks: Float32Array[]
  person: Int32Array
  heldOut: boolean[]
}

/** Reads a pack.
 *
 * @param decode - makes `[S * S * channels]` of a JPEG
 */
export async function readPhotoPack(
  bytes: Uint8Array,
  decode: (jpeg: Uint8Array) => { data: Uint8Array; channels: number },
): Promise<PhotoSet> {
  const { brotliDecompressSync } = await import('node:zlib')
  const { metadata, tensors } = readSafetensors(bytes, 'readPhotoPack')
  if (metadata.format !== FORMAT)
    throw new ValueError(`readPhotoPack: the file holds "${metadata.format}", expected "${FORMAT}"`)
  const [size, count] = [Number(metadata.size), Number(metadata.count)]
  const data = (name: string) => tensors.get(name)!.data
  const [jpegs, ends, landmarks] = [data('jpegs') as Uint8Array, data('ends'), data('landmarks')]
  const masks = brotliDecompressSync(data('masks') as Uint8Array)
  const half = (size / 2) ** 2
  const all = Array.from({ length: count }, (_, i) => i)
  return {
    size,
    count,
    pictures: all.map((i) => {
      const { data, channels } = decode(jpegs.subarray(i === 0 ? 0 : ends[i - 1], ends[i]))
      return packed(size * size, (p) => [data[channels * p], data[channels * p + 1], data[channels * p + 2]])
    }),
    masks: all.map((i) =>
      packed(half, (p) => {
        const at = 3 * (i * half + p)
        return [masks[at], masks[at + 1], masks[at + 2]]
      }),
    ),
    landmarks: all.map((i) => Float32Array.from(landmarks.subarray(136 * i, 136 * (i + 1)))),
    person: data('person') as Int32Array,
    heldOut: Array.from(data('heldOut'), (value) => value === 1),
  }
}

function packed(count: number, at: (pixel: number) => [number, number, number]): Float32Array {
  const result = new Float32Array(count)
  for (let p = 0; p < count; p++) {
    const [a, b, c] = at(p)
    result[p] = a + 256 * b + 65536 * c
  }
  return result
}

/** Mirrors `[side * side]` from left to right. */
export function mirrored(values: Float32Array, side: number): Float32Array {
  const result = new Float32Array(values.length)
  for (let row = 0; row < values.length; row += side) {
    for (let x = 0; x < side; x++) result[row + x] = values[row + side - 1 - x]
  }
  return result
}

const range = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + Math.sign(to - from) * i)

/** For each landmark the one that it becomes in a mirror. */
export const mirrorLandmark = [
  ...range(16, 0),
  ...range(26, 17),
  ...range(27, 30),
  ...range(35, 31),
  45,
  44,
  43,
  42,
  47,
  46,
  39,
  38,
  37,
  36,
  41,
  40,
  ...range(54, 48),
  ...range(59, 55),
  ...range(64, 60),
  ...range(67, 65),
]

/** Landmarks `[68 * 2]` of the mirrored picture. */
export function mirroredLandmarks(landmarks: Float32Array, size: number): Float32Array {
  return Float32Array.from({ length: 136 }, (_, i) => {
    const value = landmarks[2 * mirrorLandmark[i >> 1] + (i & 1)]
    return i & 1 ? value : size - value
  })
}
