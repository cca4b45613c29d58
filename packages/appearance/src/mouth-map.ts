import { innerMouthUv, type MorphableModel } from '@facekit/morphable'
import ndarray, { type NdArray } from 'ndarray'
import { SEEN_CHANNELS, type SeenFace } from './seen-face.js'

const [WIDTH, HEIGHT] = [256, 128]
/** How far lips must be apart in a photograph that shows what is behind them, relative to the width of the mouth. */
const LEAST_OPENING = 0.03
/** Light is weaker behind the lips than before them; less than this share of the face's is taken for noise. */
const LEAST_LIGHT = 0.05

/** What photographs show between the lips: teeth, tongue, or darkness; from the one whose mouth is open widest.
 *
 * The light before the lips is divided out; what the lips shade stays dark. The map is laid out by `innerMouthUv`.
 *
 * @returns `[128, 256, 3]` linear RGB, top row first; undefined where no photograph shows an open mouth, or the model has no sheet in it
 */
export function mouthMap(
  faces: readonly SeenFace[],
  model: MorphableModel,
): NdArray<Float32Array> | undefined {
  const uv = innerMouthUv(model)
  if (!uv) return undefined
  const openings = faces.map((face) => openingOf(face, model))
  const widest = openings.indexOf(Math.max(...openings))
  if (openings[widest] < LEAST_OPENING) return undefined
  const face = faces[widest]
  const light = lightBefore(face, model)
  const map = new Float32Array(WIDTH * HEIGHT * 3)
  const filled = new Uint8Array(WIDTH * HEIGHT)
  const triangles = model.innerMouthTriangles
  const color = new Float64Array(3)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [0, 1, 2].map((k) => {
      const v = triangles[t + k]
      const [x, y] = face.vertices.subarray(v * SEEN_CHANNELS, v * SEEN_CHANNELS + 2)
      return { u: uv[2 * v] * WIDTH, w: (1 - uv[2 * v + 1]) * HEIGHT, x, y }
    })
    eachTexel(corners, (texel, [a, b, c]) => {
      const at = (name: 'x' | 'y') => a * corners[0][name] + b * corners[1][name] + c * corners[2][name]
      sample(color, face, at('x'), at('y'))
      for (let k = 0; k < 3; k++) map[3 * texel + k] = Math.min(Math.max(color[k] / light[k], 0), 1)
      filled[texel] = 1
    })
  }
  spread(map, filled)
  return ndarray(map, [HEIGHT, WIDTH, 3])
}

/** Area of the sheet in the photograph over the square of its width. */
function openingOf(face: SeenFace, model: MorphableModel): number {
  const place = (v: number) => face.vertices.subarray(v * SEEN_CHANNELS, v * SEEN_CHANNELS + 2)
  let area = 0
  for (let t = 0; t < model.innerMouthTriangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => place(model.innerMouthTriangles[t + k]))
    area -= ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2
  }
  const [left, right] = [place(model.landmarks[60]), place(model.landmarks[64])]
  return area / Math.max((right[0] - left[0]) ** 2 + (right[1] - left[1]) ** 2, 1e-9)
}

/** `[3]` mean irradiance on the rim of the lips. */
function lightBefore(face: SeenFace, model: MorphableModel): number[] {
  const rim = new Set(model.innerMouthTriangles)
  const sum = [0, 0, 0]
  for (const v of rim)
    for (let c = 0; c < 3; c++) sum[c] += face.vertices[v * SEEN_CHANNELS + 4 + c] / rim.size
  return sum.map((value, c) => Math.max(value, LEAST_LIGHT * face.meanLight[c]))
}

type Corner = { u: number; w: number }

/** Texels whose centres lie in a triangle, with their barycentric coordinates. */
function eachTexel(
  [a, b, c]: readonly Corner[],
  visit: (texel: number, weights: [number, number, number]) => void,
): void {
  const area = (b.u - a.u) * (c.w - a.w) - (b.w - a.w) * (c.u - a.u)
  if (Math.abs(area) < 1e-9) return
  const range = (low: number, high: number, most: number) =>
    [Math.max(Math.floor(low), 0), Math.min(Math.ceil(high), most)] as const
  const [left, right] = range(Math.min(a.u, b.u, c.u), Math.max(a.u, b.u, c.u), WIDTH)
  const [top, bottom] = range(Math.min(a.w, b.w, c.w), Math.max(a.w, b.w, c.w), HEIGHT)
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const [u, w] = [column + 0.5, row + 0.5]
      const second = ((u - a.u) * (c.w - a.w) - (w - a.w) * (c.u - a.u)) / area
      const third = ((b.u - a.u) * (w - a.w) - (b.w - a.w) * (u - a.u)) / area
      if (second < 0 || third < 0 || second + third > 1) continue
      visit(row * WIDTH + column, [1 - second - third, second, third])
    }
  }
}

/** Bilinear, of the crop. */
function sample(to: Float64Array, { picture, size }: SeenFace, x: number, y: number): void {
  const [px, py] = [x - 0.5, y - 0.5].map((value) => Math.min(Math.max(value, 0), size - 1.001))
  const [left, top] = [Math.floor(px), Math.floor(py)]
  const [right, down] = [px - left, py - top]
  const at = 3 * (top * size + left)
  for (let c = 0; c < 3; c++) {
    const upper = picture[at + c] * (1 - right) + picture[at + 3 + c] * right
    const lower = picture[at + 3 * size + c] * (1 - right) + picture[at + 3 * size + 3 + c] * right
    to[c] = upper * (1 - down) + lower * down
  }
}

/** Carries colours outwards into what no triangle covers, row by row: filters of textures look there. */
function spread(map: Float32Array, filled: Uint8Array): void {
  for (let row = 0; row < HEIGHT; row++) {
    const has = Array.from({ length: WIDTH }, (_, i) => i).filter((i) => filled[row * WIDTH + i])
    for (let column = 0; column < WIDTH && has.length > 0; column++) {
      const from = Math.min(Math.max(column, has[0]), has.at(-1)!)
      if (from !== column)
        map.copyWithin(3 * (row * WIDTH + column), 3 * (row * WIDTH + from), 3 * (row * WIDTH + from) + 3)
    }
  }
}
