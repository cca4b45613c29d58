import { encodeSrgb, type FaceTextures } from '@facekit/export'
import ndarray, { type NdArray } from 'ndarray'
import type { MouthModel } from './mouth-model.js'

/** Linear RGB of socket, gums, tongue and teeth in the light, from tint 0 to tint 1, and how they shine: mucosa to the lips' edge, the fold behind lips to the paler margin, groove
 * to tip, cervix to edge. */
const COLORS = [
  {
    diffuse: [
      [0.34, 0.1, 0.09],
      [0.4, 0.15, 0.14],
    ],
    specular: 0.03,
  },
  {
    diffuse: [
      [0.38, 0.1, 0.1],
      [0.52, 0.22, 0.2],
    ],
    specular: 0.05,
  },
  {
    diffuse: [
      [0.3, 0.1, 0.1],
      [0.46, 0.18, 0.17],
    ],
    specular: 0.04,
  },
  {
    diffuse: [
      [0.62, 0.5, 0.35],
      [0.72, 0.68, 0.6],
    ],
    specular: 0.06,
  },
] as const
/** Depth behind the front teeth at which little light is left, mm, and the light there. */
const [DARK_AT, LEAST] = [70, 0.2]
/** Of the socket, which is behind all else; of its first two rings, along the edge of the lips and behind it. */
const SOCKET = 0.6
const RINGS = [0.9, 0.45] as const

/** Where the base model's maps have room for the colours of the mouth: the lower left corner of a square at the upper right, and its width. */
const PATCH = { corner: [0.87, 0.87], width: 0.12 } as const

/** `[V]` how much light comes to each vertex, 0..1: lips and cheeks shade what is behind. */
function lightOf({ mean, ends, lips }: MouthModel): Float32Array {
  let front = -Infinity
  for (let v = ends[2]; v < ends[3]; v++) front = Math.max(front, mean[3 * v + 2])
  return Float32Array.from({ length: mean.length / 3 }, (_, v) => {
    if (v < RINGS.length * lips.length) return RINGS[Math.floor(v / lips.length)]
    const depth = Math.min(1, Math.max(0, (front - mean[3 * v + 2]) / DARK_AT))
    return (v < ends[0] ? SOCKET : 1) * (LEAST + (1 - LEAST) * (1 - depth) ** 1.6)
  })
}

const partOf = ({ ends }: MouthModel, v: number) => ends.findIndex((end) => v < end)
const colorOf = (part: number, tint: number, channel: number) => {
  const [from, to] = COLORS[part].diffuse
  return from[channel] + tint * (to[channel] - from[channel])
}

/** Colours and places on the maps of what is inside of a mouth. */
export function mouthColors(model: MouthModel): Record<'diffuse' | 'specular' | 'uv', Float32Array> {
  const light = lightOf(model)
  const rgb = (of: (v: number, channel: number) => number) =>
    Float32Array.from({ length: 3 * light.length }, (_, i) => {
      const v = Math.floor(i / 3)
      return of(v, i % 3) * light[v]
    })
  return {
    diffuse: rgb((v, c) => colorOf(partOf(model, v), model.tint[v], c)),
    specular: rgb((v) => COLORS[partOf(model, v)].specular),
    uv: Float32Array.from({ length: 2 * light.length }, (_, i) => {
      const v = i >> 1
      const share = i % 2 === 0 ? (partOf(model, v) + inset(model.tint[v])) / COLORS.length : inset(light[v])
      return PATCH.corner[i % 2] + PATCH.width * share
    }),
  }
}

/** Colours end before the border of their field: maps are filtered. */
const [FIRST, SPAN] = [0.15, 0.7]
const inset = (share: number) => FIRST + SPAN * share
const outset = (share: number) => Math.min(1, Math.max(0, (share - FIRST) / SPAN))

/** Copies of maps with the colours of the mouth in the corner that is left free for them: a column for each part, from dark to light, and across it from tint to tint. */
export function paintMouth(maps: FaceTextures): FaceTextures {
  const paint = (
    map: NdArray<Uint8Array>,
    color: (part: number, tint: number, channel: number) => number,
  ) => {
    const [height, width] = map.shape
    const data = Uint8Array.from(map.data)
    each(width, height, (x, y, part, tint, light) => {
      for (let c = 0; c < 3; c++)
        data[3 * (y * width + x) + c] = Math.round(
          255 * encodeSrgb(Math.min(1, color(part, tint, c) * light)),
        )
    })
    return ndarray(data, map.shape)
  }
  const flat = <T extends Uint8Array | Uint16Array>(map: NdArray<T>, texel: readonly number[]) => {
    const [height, width] = map.shape
    const data = map.data.slice() as T
    each(width, height, (x, y) => data.set(texel, texel.length * (y * width + x)))
    return ndarray(data, map.shape)
  }
  return {
    ...maps,
    diffuse: paint(maps.diffuse, colorOf),
    specular: paint(maps.specular, (part) => COLORS[part].specular / maps.specularScale),
    ...(maps.normal && { normal: flat(maps.normal, [128, 128, 255]) }),
    ...(maps.displacement && { displacement: flat(maps.displacement, [32_768]) }),
    ...(maps.shading && { shading: flat(maps.shading, [128, 128, 128]) }),
  }
}

function each(
  width: number,
  height: number,
  visit: (x: number, y: number, part: number, tint: number, light: number) => void,
): void {
  const [left, low] = PATCH.corner
  for (let y = 0; y < Math.ceil((1 - low) * height); y++)
    for (let x = Math.floor(left * width); x < width; x++) {
      const u = ((x + 0.5) / width - left) / PATCH.width
      const v = (1 - (y + 0.5) / height - low) / PATCH.width
      const part = Math.min(COLORS.length - 1, Math.max(0, Math.floor(u * COLORS.length)))
      visit(x, y, part, outset(u * COLORS.length - part), outset(v))
    }
}
