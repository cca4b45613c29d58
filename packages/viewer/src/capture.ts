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
  }
}

/** Copies a capture after a check of its sizes and numbers.
 *
 * @throws {ValueError} when a list has the wrong length or a number is not finite
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
    },
  }
}
