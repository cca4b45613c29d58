import type { Method } from './options.js'

/** All numbers of a reconstructed face, as JSON holds them: the layout of parameters.json, which the command `facekit` writes. */
export interface FaceDocument {
  /** Of this layout. */
  version: 1
  generator: string
  picture: { file: string; width: number; height: number }
  /** Number of the face in the photograph, from 1. */
  face: number
  model: { name: string; license: string }
  /** `[Ki]`, `[Ke]`, `[Kt]` coefficients: of identity and albedo in standard deviations, of expression 0 at rest and 1 fully activated. */
  identity: number[]
  expression: number[]
  albedo: number[]
  /** What each expression coefficient moves: `expressionNames[k]` belongs to `expression[k]`. */
  expressionNames?: string[]
  /** `v' = scale * R * (v + translation)`: pitch, yaw and roll in radians, mm (Eq. 3). */
  pose: { rotation: number[]; translation: number[]; scale: number }
  /** `[9][3]` spherical harmonics; position of the point light in mm, world space; its colour, linear RGB; exponent of Blinn-Phong. */
  illumination: {
    sphericalHarmonics: number[][]
    lightPosition: number[]
    lightColor: number[]
    shininess: number
  }
  /** Vertical field of view in radians, distance in mm; the camera looks at the crop. */
  camera: {
    fieldOfView: number
    distance: number
    near: number
    far: number
    projection: 'perspective' | 'weak-perspective'
  }
  /** Pixels of the photograph to pixels of the crop: `p' = scale * R(rotation) * p + translation`. */
  crop: { size: number; transform: { scale: number; rotation: number; translation: [number, number] } }
  /** Where the face was found, pixels of the photograph, and how sure the detector is. */
  box: { x: number; y: number; width: number; height: number }
  score: number
  /** `[68][2]` landmarks of the fitted face, pixels of the photograph, the jaw on the outline that is seen. */
  landmarks: number[][]
  /** `[68][3]` the same as fixed points of the mesh, z towards the camera in the same unit, relative to their mean. */
  landmarks3d: number[][]
  /** Unit vectors in which the subject's left and right eye look, camera space. */
  gaze?: { left: number[]; right: number[] }
  /** Real size, from an iris of 11.7 mm: real millimetres for one of the mesh (without its pose), the standard deviation of that, and real millimetres
   * from the camera to the head's origin. */
  metric?: { scale: number; deviation: number; distance: number; irisDiameter: 11.7 }
  /** Pixels of the photograph, and where it comes from. */
  focalLength: { pixels: number; source: 'default' | 'exif' }
  /** `[68][2]` landmarks that were found in the photograph, pixels. */
  annotatedLandmarks: number[][]
  metrics: {
    /** Normalised mean error of the 68 landmarks to those that were found in the photograph; 0.03 is 3 %. */
    landmarkError: number
    /** The same to `annotatedLandmarks`, which the fit did not follow: errors of those are in it. */
    landmarkCheck: number
    /** Mean absolute colour difference over visible skin, 0..1, and its standard deviation. */
    colorError: number
    colorDeviation: number
    iterations: number
    seconds: number
  }
  backend: string
  method: Method
}
