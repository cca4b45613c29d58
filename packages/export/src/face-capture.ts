import { ShapeError, ValueError } from '@facekit/core'
import { base64 } from './base64.js'
import type { FaceTextures } from './face-textures.js'
import { poseMotion, type FacePose } from './gltf/pose-motion.js'

/** How a face was photographed, as JSON: what `<facekit-viewer>` takes as `capture`, and looks for in `extras.facekit.capture` of a node of its file. */
export interface FaceCapture {
  /** Vertical field of view in radians, for a square picture; distance of the camera from the origin in mm, on +z. */
  camera: { fieldOfView: number; distance: number; projection: 'perspective' | 'weak-perspective' }
  /** 16 numbers, 4 x 4 column by column, metres: places the file's mesh before the camera. Default: it stands there already. */
  pose?: number[]
  illumination: {
    /** 27 numbers, `[9, 3]` row by row, linear RGB. */
    sphericalHarmonics: number[]
    /** `[3]` mm, the camera's space. */
    lightPosition: number[]
    /** `[3]` linear RGB. */
    lightColor: number[]
    /** Exponent of Blinn-Phong. */
    shininess: number
    shading?: CaptureShading
  }
}

/** What of the photograph's light the rest does not know: factors of the irradiance over UV. */
export interface CaptureShading {
  width: number
  height: number
  /** Base64: three bytes a texel, top row first, each a factor 4^((byte - 128) / 127). */
  data: string
  /** Name of the file's material whose UV it lies over. */
  material: string
}

/** What `faceCapture` is made of: parts of a parameters.json. */
export interface PhotographedFace {
  camera: { fieldOfView: number; distance: number; projection: 'perspective' | 'weak-perspective' }
  /** Left out where the mesh has it. */
  pose?: {
    rotation: ArrayLike<number>
    translation: ArrayLike<number>
    scale: number
  }
  illumination: {
    /** `[9 * 3]`. */
    sphericalHarmonics: ArrayLike<number>
    lightPosition: ArrayLike<number>
    lightColor: ArrayLike<number>
    shininess: number
  }
}

/** How a face was photographed, out of its parameters.
 *
 * @param textures - maps of the file: their shading goes with the light
 * @param material - name of the file's material that wears them
 * @throws {ShapeError} when a list has another length
 * @throws {ValueError} when a number is not finite, or the camera is none
 */
export function faceCapture(
  face: PhotographedFace,
  options: { textures?: FaceTextures | undefined; material?: string } = {},
): FaceCapture {
  return captureOf('faceCapture', face, options)
}

/** `faceCapture` for the function `who`, whose errors it names. */
export function captureOf(
  who: string,
  { camera, pose, illumination }: PhotographedFace,
  { textures, material = 'face' }: { textures?: FaceTextures | undefined; material?: string },
): FaceCapture {
  const list = (name: string, values: ArrayLike<number>, count: number) =>
    finiteNumbers(`${who}: ${name}`, values, count).map(short)
  for (const key of ['fieldOfView', 'distance'] as const)
    if (!(Number.isFinite(camera[key]) && camera[key] > 0))
      throw new ValueError(`${who}: camera.${key} is ${camera[key]}, expected a number above 0`)
  const { fieldOfView, distance, projection } = camera
  const shading = textures?.shading
  return {
    camera: { fieldOfView, distance, projection },
    ...(pose && { pose: poseMatrix(`${who}: pose`, pose) }),
    illumination: {
      sphericalHarmonics: list('illumination.sphericalHarmonics', illumination.sphericalHarmonics, 27),
      lightPosition: list('illumination.lightPosition', illumination.lightPosition, 3),
      lightColor: list('illumination.lightColor', illumination.lightColor, 3),
      shininess: list('illumination.shininess', [illumination.shininess], 1)[0],
      ...(shading && {
        shading: {
          width: shading.shape[1],
          height: shading.shape[0],
          data: base64(shading.data),
          material,
        },
      }),
    },
  }
}

/** `v' = scale * R * (v + translation)` in metres, column by column. */
function poseMatrix(name: string, pose: NonNullable<PhotographedFace['pose']>): number[] {
  const list = (part: string, values: ArrayLike<number>, count: number) =>
    finiteNumbers(`${name}.${part}`, values, count).map(short)
  const rotation = list('rotation', pose.rotation, 3) as [number, number, number]
  const shift = list('translation', pose.translation, 3) as [number, number, number]
  const [scale] = list('scale', [pose.scale], 1)
  const motion = poseMotion({ rotation, translation: shift, scale } satisfies FacePose)
  const [x, y, z, w] = motion.rotation
  const columns = [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
    [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
  ]
  return [
    ...columns.flatMap((column) => [...column.map((value) => scale * value), 0]),
    ...motion.translation.map((value) => value / 1000),
    1,
  ]
}

/** A number of single precision, written as short as that allows: the same whether it comes from a tensor or from a file that was written of it. */
const short = (value: number): number => Number(Math.fround(value).toPrecision(7))

/** A list after a check of its length and numbers. */
export function finiteNumbers(name: string, values: ArrayLike<number>, count: number): number[] {
  if (values?.length !== count)
    throw new ShapeError(`${name} has ${values?.length} numbers, expected ${count}`)
  const result = Array.from(values)
  if (!result.every(Number.isFinite))
    throw new ValueError(`${name} is ${result.join(', ')}, expected finite numbers`)
  return result
}
