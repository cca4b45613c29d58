import { SURFACE_CHANNELS } from './compose-arrays.js'

type Numbers = Float32Array | Int32Array

/** What is seen, and the mesh it is of. */
export interface PaintArrays {
  ids: Numbers
  barycentrics: Numbers
  triangles: Int32Array
  /** Triangles from here on are those of the inner mouth. */
  faceTriangles: number
  /** Numbers of vertices and pixels of a picture. */
  vertices: number
  pixels: number
}

/** Channels of light: diffuse and specular. */
const LIGHT_CHANNELS = 6

/** Spreads the light at the vertices over the pixels of the face, and marks face and inner mouth. */
export function paintForward(light: Numbers, arrays: PaintArrays, surface: Numbers): void {
  const { ids, barycentrics, triangles, faceTriangles, vertices, pixels } = arrays
  surface.fill(0)
  for (let i = 0, s = 0; i < ids.length; i++, s += SURFACE_CHANNELS) {
    const id = ids[i]
    if (id < 0) continue
    if (id >= faceTriangles) {
      surface[s + 7] = 1
      continue
    }
    const first = Math.floor(i / pixels) * vertices
    const a = (first + triangles[3 * id]) * LIGHT_CHANNELS
    const b = (first + triangles[3 * id + 1]) * LIGHT_CHANNELS
    const c = (first + triangles[3 * id + 2]) * LIGHT_CHANNELS
    const u = barycentrics[3 * i]
    const v = barycentrics[3 * i + 1]
    const w = barycentrics[3 * i + 2]
    surface[s] = u * light[a] + v * light[b] + w * light[c]
    surface[s + 1] = u * light[a + 1] + v * light[b + 1] + w * light[c + 1]
    surface[s + 2] = u * light[a + 2] + v * light[b + 2] + w * light[c + 2]
    surface[s + 3] = u * light[a + 3] + v * light[b + 3] + w * light[c + 3]
    surface[s + 4] = u * light[a + 4] + v * light[b + 4] + w * light[c + 4]
    surface[s + 5] = u * light[a + 5] + v * light[b + 5] + w * light[c + 5]
    surface[s + 6] = 1
  }
}

/** Gradients of `paintForward`: of the light, and of the barycentrics. */
export function paintBackward(
  light: Numbers,
  upstream: Numbers,
  arrays: PaintArrays,
  toLight: Numbers,
  toBarycentrics: Numbers,
): void {
  const { ids, barycentrics, triangles, faceTriangles, vertices, pixels } = arrays
  toLight.fill(0)
  toBarycentrics.fill(0)
  for (let i = 0, s = 0; i < ids.length; i++, s += SURFACE_CHANNELS) {
    const id = ids[i]
    if (id < 0 || id >= faceTriangles) continue
    const first = Math.floor(i / pixels) * vertices
    const a = (first + triangles[3 * id]) * LIGHT_CHANNELS
    const b = (first + triangles[3 * id + 1]) * LIGHT_CHANNELS
    const c = (first + triangles[3 * id + 2]) * LIGHT_CHANNELS
    const u = barycentrics[3 * i]
    const v = barycentrics[3 * i + 1]
    const w = barycentrics[3 * i + 2]
    let toU = 0
    let toV = 0
    let toW = 0
    for (let k = 0; k < LIGHT_CHANNELS; k++) {
      const g = upstream[s + k]
      toU += g * light[a + k]
      toV += g * light[b + k]
      toW += g * light[c + k]
      toLight[a + k] += g * u
      toLight[b + k] += g * v
      toLight[c + k] += g * w
    }
    toBarycentrics[3 * i] = toU
    toBarycentrics[3 * i + 1] = toV
    toBarycentrics[3 * i + 2] = toW
  }
}
