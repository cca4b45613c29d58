import type { HostArray } from '@facekit/kernels'
import { diffuseBackward, diffuseForward } from './diffuse.js'
import { specularPass } from './specular.js'

/** What is lit, its light, and the camera of all pictures. */
export interface LitArrays {
  readonly diffuse: HostArray
  readonly specular: HostArray
  readonly normals: HostArray
  readonly positions: HostArray
  readonly sphericalHarmonics: HostArray
  readonly lightPosition: HostArray
  readonly lightColor: HostArray
  readonly shininess: HostArray
}

/** Channels of `shaded`: diffuse, then specular light. */
export const SHADED_CHANNELS = 6
/** Where specular light is in it. */
const SPECULAR = { stride: SHADED_CHANNELS, offset: 3 }

/** Each picture's camera. */
const camerasOf = (cameraPosition: readonly number[], batch: number) =>
  Float32Array.from({ length: 3 * batch }, (_, i) => cameraPosition[i % 3])

/** Fills both kinds of light, side by side, and the diffuse one alone. */
export function surfaceForward(
  surface: LitArrays,
  batch: number,
  cameraPosition: readonly number[],
  shaded: HostArray,
  litDiffuse: HostArray,
): void {
  const { diffuse, specular, normals, positions, lightPosition, lightColor, shininess } = surface
  const cameras = camerasOf(cameraPosition, batch)
  specularPass(
    [specular, normals, positions, lightPosition, lightColor, cameras, shininess],
    batch,
    shaded,
    [],
    SPECULAR,
  )
  diffuseForward([diffuse, normals, surface.sphericalHarmonics], batch, 9, shaded, SHADED_CHANNELS)
  for (let to = 0, from = 0; to < litDiffuse.length; to += 3, from += SHADED_CHANNELS) {
    for (let c = 0; c < 3; c++) litDiffuse[to + c] = shaded[from + c]
  }
}

/** Fills the gradients of everything but the camera.
 *
 * @param toShaded - missing: 0
 * @param toLitDiffuse - as `toShaded`
 */
export function surfaceBackward(
  surface: LitArrays,
  batch: number,
  cameraPosition: readonly number[],
  toShaded: HostArray | undefined,
  toLitDiffuse: HostArray | undefined,
  gradients: LitArrays,
): void {
  const { diffuse, specular, normals, positions, lightPosition, lightColor, shininess } = surface
  const upstream = toShaded ?? new Float32Array(2 * diffuse.length)
  diffuseBackward(
    [diffuse, normals, surface.sphericalHarmonics, addLitDiffuse(upstream, toLitDiffuse)],
    batch,
    9,
    [gradients.diffuse, gradients.normals, gradients.sphericalHarmonics],
    SHADED_CHANNELS,
  )
  const cameras = camerasOf(cameraPosition, batch)
  const toCamera = new Float32Array(cameras.length)
  specularPass(
    [specular, normals, positions, lightPosition, lightColor, cameras, shininess, upstream],
    batch,
    undefined,
    [
      gradients.specular,
      gradients.normals,
      gradients.positions,
      gradients.lightPosition,
      gradients.lightColor,
      toCamera,
      gradients.shininess,
    ],
    { ...SPECULAR, addNormals: true },
  )
}

/** The gradient of the diffuse light with what comes by way of `litDiffuse`. */
function addLitDiffuse(shaded: HostArray, toLitDiffuse: HostArray | undefined): HostArray {
  if (toLitDiffuse === undefined) return shaded
  const sums = Float32Array.from(shaded)
  for (let from = 0, to = 0; from < toLitDiffuse.length; from += 3, to += SHADED_CHANNELS) {
    for (let c = 0; c < 3; c++) sums[to + c] += toLitDiffuse[from + c]
  }
  return sums
}
