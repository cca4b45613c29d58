import { ValueError } from '@facekit/core'

/** How a face was photographed: what a reconstruction knows beside the face. With it the first view is the photograph's. */
export interface FaceCapture {
  /** Vertical field of view in radians, for a square picture; distance of the camera from the origin in mm, on +z. */
  camera: { fieldOfView: number; distance: number; projection?: 'perspective' | 'weak-perspective' }
  /** Places the file's mesh before the camera, 4 x 4, column by column, in metres as glTF has them. Default: it stands there already. */
  pose?: ArrayLike<number>
  /** The light of the photograph, in the space of the camera. */
  illumination: {
    /** `[9, 3]` linear RGB, row by row: real spherical harmonics in the order of `sphericalHarmonicsBasis` of `@facekit/illumination`. */
    sphericalHarmonics: ArrayLike<number>
    /** `[3]` mm. */
    lightPosition: ArrayLike<number>
    /** `[3]` linear RGB. */
    lightColor: ArrayLike<number>
    /** Exponent of Blinn-Phong. */
    shininess: number
    /** What of the photograph's light the rest does not know, as cast shadows: factors of the irradiance over UV. It is seen in the light `photograph` only, and fades where that is
     * turned. */
    shading?: CaptureShading
  }
}

/** A map of factors, see `FaceCapture`. */
export interface CaptureShading {
  /** Texels, 1 to 1024 each. */
  width: number
  height: number
  /** Base64: three bytes a texel (RGB), top row first, each a factor 4^((byte - 128) / 127). */
  data: string
  /** Name of the file's material whose UV it lies over. */
  material: string
}

const MOST_TEXELS = 1024

/** Copies a capture after a check of its sizes and numbers.
 *
 * @throws {ValueError} when a list has the wrong length, a number is not finite, or the shading is no map
 */
export function checkCapture(capture: FaceCapture): FaceCapture {
  const list = (name: string, values: ArrayLike<number> | undefined, count: number): number[] => {
    const numbers = Array.from(values ?? [])
    if (numbers.length !== count || !numbers.every(Number.isFinite))
      throw new ValueError(
        `facekit-viewer: capture.${name} has ${numbers.length} numbers, expected ${count}, all finite`,
      )
    return numbers
  }
  const positive = (name: string, value: number): number => {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY))
      throw new ValueError(`facekit-viewer: capture.${name} is ${value}, expected a number above 0`)
    return value
  }
  const { camera, illumination, pose } = capture
  return {
    camera: {
      fieldOfView: positive('camera.fieldOfView', camera?.fieldOfView),
      distance: positive('camera.distance', camera?.distance),
      projection: camera.projection ?? 'perspective',
    },
    ...(pose && { pose: list('pose', pose, 16) }),
    illumination: {
      sphericalHarmonics: list('illumination.sphericalHarmonics', illumination?.sphericalHarmonics, 27),
      lightPosition: list('illumination.lightPosition', illumination.lightPosition, 3),
      lightColor: list('illumination.lightColor', illumination.lightColor, 3),
      shininess: positive('illumination.shininess', illumination.shininess),
      ...(illumination.shading && { shading: checkShading(illumination.shading) }),
    },
  }
}

function checkShading({ width, height, data, material }: CaptureShading): CaptureShading {
  for (const [name, value] of Object.entries({ width, height }))
    if (!(Number.isInteger(value) && value >= 1 && value <= MOST_TEXELS))
      throw new ValueError(
        `facekit-viewer: capture.illumination.shading.${name} is ${value}, expected 1 to ${MOST_TEXELS}`,
      )
  // Four letters for three bytes.
  const letters = 4 * width * height
  if (typeof data !== 'string' || data.length !== letters || !/^[A-Za-z0-9+/]*$/.test(data))
    throw new ValueError(
      `facekit-viewer: capture.illumination.shading.data has ${String(data?.length)} letters, expected ${letters} of base64`,
    )
  if (typeof material !== 'string')
    throw new ValueError(
      `facekit-viewer: capture.illumination.shading.material is ${String(material)}, expected the name of a material`,
    )
  return { width, height, data, material }
}
