import { bakeTexture, decodeSrgb, encodeShading, encodeSrgb, type FaceTextures } from '@facekit/export'
import ndarray, { type NdArray } from 'ndarray'

/** Where the base model's maps have room for a disc of the rest of the head, over UV: the lower left corner of a square at the upper left, and its width. */
export const HEAD_DISC = { corner: [0.006, 0.864], width: 0.13 } as const
/** The square that may be painted: the disc and the border that hides its edge from filters. */
const FREE = 0.142

/** The rest of a head, as maps need it. */
export interface HeadColors {
  /** `[V * 2]` places in the disc, within 0..1. */
  uv: ArrayLike<number>
  triangles: Int32Array
  /** `[V * 3]` linear RGB. */
  diffuse: Float32Array
  specular: Float32Array
  /** `[V * 3]` factors of the irradiance, where the maps have a shading. */
  shading?: Float32Array | undefined
}

/** What the bytes of a map stand for at places over UV, bilinear: `[P * 3]`.
 *
 * @param decode - number of a byte; default: of sRGB, linear RGB
 */
export function sampleMap(
  map: NdArray<Uint8Array>,
  places: readonly number[],
  decode: (byte: number) => number = (byte) => decodeSrgb(byte / 255),
): Float32Array {
  const [height, width] = map.shape
  const result = new Float32Array((places.length / 2) * 3)
  const near = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1)
  for (let p = 0; 2 * p < places.length; p++) {
    const x = near(places[2 * p] * width - 0.5, width)
    const y = near((1 - places[2 * p + 1]) * height - 0.5, height)
    const [left, top] = [Math.floor(x), Math.floor(y)]
    for (let c = 0; c < 3; c++) {
      const at = (row: number, column: number) => decode(map.get(near(row, height), near(column, width), c))
      const upper = at(top, left) * (1 - x + left) + at(top, left + 1) * (x - left)
      const lower = at(top + 1, left) * (1 - x + left) + at(top + 1, left + 1) * (x - left)
      result[3 * p + c] = upper * (1 - y + top) + lower * (y - top)
    }
  }
  return result
}

/** Copies of maps with the rest of a head in the corner that is left free for it: its colours, and no relief. */
export function paintHead(maps: FaceTextures, head: HeadColors): FaceTextures {
  const paint = (
    map: NdArray<Uint8Array>,
    colors: Float32Array,
    encode: (disc: NdArray<Float32Array>) => Uint8Array,
  ): NdArray<Uint8Array> => {
    const size = map.shape[0]
    const side = Math.ceil(FREE * size)
    const free = side / size
    const uv = Float32Array.from(
      { length: head.uv.length },
      (_, i) =>
        (head.uv[i] * HEAD_DISC.width +
          (i % 2 === 0 ? HEAD_DISC.corner[0] : HEAD_DISC.corner[1] - 1 + free)) /
        free,
    )
    const disc = encode(bakeTexture(colors, uv, head.triangles, { size: side }))
    const data = Uint8Array.from(map.data)
    for (let y = 0; y < side; y++) data.set(disc.subarray(3 * y * side, 3 * (y + 1) * side), 3 * y * size)
    return ndarray(data, map.shape)
  }
  const srgb = (scale: number) => (disc: NdArray<Float32Array>) =>
    Uint8Array.from(disc.data, (value) => Math.round(255 * encodeSrgb(value / scale)))
  const flat = <T extends Uint8Array | Uint16Array>(
    map: NdArray<T>,
    texel: readonly number[],
  ): NdArray<T> => {
    const data = map.data.slice() as T
    const [size, width] = [map.shape[0], texel.length]
    const side = Math.ceil(FREE * size)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < width * side; x++) data[width * y * size + x] = texel[x % width]
    return ndarray(data, map.shape)
  }
  return {
    ...maps,
    diffuse: paint(maps.diffuse, head.diffuse, srgb(1)),
    specular: paint(maps.specular, head.specular, srgb(maps.specularScale)),
    ...(maps.normal && { normal: flat(maps.normal, [128, 128, 255]) }),
    ...(maps.displacement && { displacement: flat(maps.displacement, [32_768]) }),
    ...(maps.shading &&
      head.shading && {
        shading: paint(maps.shading, head.shading, (disc) => encodeShading(disc).data),
      }),
  }
}
