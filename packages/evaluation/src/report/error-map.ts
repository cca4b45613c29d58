import { assertInRange, ShapeError } from '@facekit/core'
import { composePanels, drawText, encodeGlb, GLYPH_HEIGHT } from '@facekit/export'
import { normalsOf, type Surface } from '@facekit/mesh'
import { interpolate, rasterize } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import { errorColor } from './error-colors.js'

/** A surface with an error at each vertex. */
export interface ErrorMap {
  /** mm, y up, z out of the face. */
  surface: Surface
  /** `[N]` mm; NaN was not compared. */
  errors: ArrayLike<number>
}

/** Options of `errorMapGlb` and `drawErrorMap`. */
export interface ErrorMapOptions {
  /** End of the scale, mm. Default 5. */
  limit?: number
  /** Width and height of the picture. Default 384. */
  size?: number
}

/** An error map as GLB, the errors as colours of the vertices.
 *
 * @throws {ShapeError} when there is not an error for each vertex
 */
export async function errorMapGlb(map: ErrorMap, { limit = 5 }: ErrorMapOptions = {}): Promise<Uint8Array> {
  checkMap(map)
  const { positions, triangles } = map.surface
  const diffuse = new Float32Array(positions.length)
  for (let v = 0; v < map.errors.length; v++)
    diffuse.set(
      errorColor(map.errors[v], limit).map((value) => value ** 2.2),
      v * 3,
    )
  const vertices = Float32Array.from(positions)
  return encodeGlb(
    { vertices, triangles, diffuse, specular: new Float32Array(positions.length).fill(0.02) },
    { name: 'error-map', extras: { limit, unit: 'mm' } },
  )
}

/** Draws an error map from the front, with its scale beside it. Needs a backend of TensorFlow.js.
 *
 * @returns `[H, W, 3]` bytes
 * @throws {ShapeError} when there is not an error for each vertex
 */
export async function drawErrorMap(
  map: ErrorMap,
  options: ErrorMapOptions = {},
): Promise<NdArray<Uint8Array>> {
  const { limit = 5, size = 384 } = options
  checkMap(map)
  assertInRange('drawErrorMap: limit', limit, 1e-6)
  const colors = new Float32Array(map.errors.length * 3)
  for (let v = 0; v < map.errors.length; v++) colors.set(errorColor(map.errors[v], limit), v * 3)
  const face = await drawFront(map.surface, colors, size)
  return composePanels([face, scalePicture(limit, size)])
}

/** Draws a surface in soft light from the front, as clay where no colours are given. Needs a backend of TensorFlow.js.
 *
 * @param colors - `[N * 3]` encoded
 * @param yaw - turn of the head, radians
 * @returns `[S, S, 3]` encoded, on dark grey
 */
export async function drawFront(
  { positions, triangles }: Surface,
  colors: Float32Array | undefined,
  size: number,
  yaw = 0,
): Promise<NdArray<Float32Array>> {
  const count = positions.length / 3
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)]
  const turned = new Float32Array(positions.length)
  for (let i = 0; i < positions.length; i += 3) {
    turned[i] = cos * positions[i] + sin * positions[i + 2]
    turned[i + 1] = positions[i + 1]
    turned[i + 2] = cos * positions[i + 2] - sin * positions[i]
  }
  const used = new Set(triangles)
  const bounds = [0, 1, 2].map((c) => {
    let [low, high] = [Infinity, -Infinity]
    for (const v of used) {
      low = Math.min(low, turned[v * 3 + c])
      high = Math.max(high, turned[v * 3 + c])
    }
    return [low, high]
  })
  const half = (1.06 * Math.max(...bounds.slice(0, 2).map(([low, high]) => high - low))) / 2
  const depth = Math.max(bounds[2][1] - bounds[2][0], 1)
  const clip = new Float32Array(count * 4)
  for (let v = 0; v < count; v++) {
    for (const c of [0, 1]) clip[v * 4 + c] = (turned[v * 3 + c] - (bounds[c][0] + bounds[c][1]) / 2) / half
    clip[v * 4 + 2] = -0.9 * ((2 * (turned[v * 3 + 2] - bounds[2][0])) / depth - 1)
    clip[v * 4 + 3] = 1
  }
  const attributes = new Float32Array(count * 6)
  const normals = normalsOf(turned, triangles)
  for (let v = 0; v < count; v++) {
    attributes.set(normals.subarray(v * 3, v * 3 + 3), v * 6)
    attributes.set(colors ? colors.subarray(v * 3, v * 3 + 3) : [0.78, 0.77, 0.75], v * 6 + 3)
  }
  const pixels = tf.tidy(() => {
    // Twice as fine, then averaged: soft edges.
    const fragments = rasterize(tf.tensor3d(clip, [1, count, 4]), triangles, {
      width: 2 * size,
      height: 2 * size,
    })
    const values = interpolate(tf.tensor3d(attributes, [1, count, 6]), fragments, triangles)
    return tf.concat(
      [values, tf.cast(tf.expandDims(tf.greaterEqual(fragments.triangleIds, 0), 3), 'float32')],
      3,
    )
  })
  const data = await pixels.data()
  pixels.dispose()
  const picture = ndarray(new Float32Array(size * size * 3), [size, size, 3])
  for (let y = 0; y < 2 * size; y++) {
    for (let x = 0; x < 2 * size; x++) {
      const at = (y * 2 * size + x) * 7
      const [nx, ny, nz] = data.subarray(at, at + 3)
      const length = Math.hypot(nx, ny, nz) || 1
      // Ambient light and a lamp above the camera; both sides, as scans have holes.
      const lamp = Math.abs(0.2 * nx + 0.4 * ny + 0.89 * nz) / length
      const light = 0.35 + 0.65 * lamp
      for (let c = 0; c < 3; c++) {
        const value = data[at + 6] > 0 ? light * data[at + 3 + c] : 0.09
        picture.set(y >> 1, x >> 1, c, picture.get(y >> 1, x >> 1, c) + value / 4)
      }
    }
  }
  return picture
}

/** The scale: a strip of the colours, with numbers at its ends and between. */
function scalePicture(limit: number, size: number): NdArray<Uint8Array> {
  const [width, strip] = [72, 18]
  const picture = ndarray(new Uint8Array(size * width * 3).fill(24), [size, width, 3])
  const [top, bottom] = [24, size - 24]
  for (let y = top; y < bottom; y++) {
    const color = errorColor((limit * (bottom - y)) / (bottom - top), limit)
    for (let x = 4; x < 4 + strip; x++)
      for (let c = 0; c < 3; c++) picture.set(y, x, c, Math.round(255 * color[c]))
  }
  for (let i = 0; i <= 5; i++) {
    const y = Math.round(bottom - ((bottom - top) * i) / 5 - GLYPH_HEIGHT / 2)
    const text = `${Number(((limit * i) / 5).toPrecision(3))}${i === 5 ? ' mm' : ''}`
    drawText(text, (dotX, dotY) => {
      const [px, py] = [4 + strip + 6 + dotX, y + dotY]
      if (px < width && py >= 0 && py < size) for (let c = 0; c < 3; c++) picture.set(py, px, c, 235)
    })
  }
  return picture
}

function checkMap({ surface, errors }: ErrorMap): void {
  if (errors.length * 3 !== surface.positions.length)
    throw new ShapeError(
      `error map: ${errors.length} errors for ${surface.positions.length / 3} vertices, expected one for each`,
    )
}
