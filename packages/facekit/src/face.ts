import type { Caution } from './cautions.js'
import type { FaceDocument } from './face-document.js'
import type { PhotoSource, RgbaImage } from './photo-source.js'
import type { FoundFace, GlbOptions, HeadOptions, RenderOptions, ShapeChange } from './options.js'

/** Geometry of a face, plain arrays. */
export interface FaceGeometry {
  /** `[N * 3]` mm, model space: x to the right of the picture, y up, z out of the face. */
  vertices: Float32Array
  /** `[N * 3]` unit length. */
  normals: Float32Array
  /** `[F * 3]`, counter-clockwise seen from outside. */
  triangles: Int32Array
  /** `[M * 3]` triangles that close the mouth. */
  innerMouthTriangles: Int32Array
  /** `[N * 2]` 0..1, origin at the lower left. */
  uv?: Float32Array
  /** `[N * 2]` the same on the map of the mouth, for vertices of `innerMouthTriangles`. */
  innerMouthUv?: Float32Array
  /** `[N]` mm: radius in which each vertex lies with a probability of 68 %; 10 where a head is guessed; absent with the method `regress`. */
  uncertainty?: Float32Array
}

/** Maps of a face over UV, top row first. */
export interface FaceMaps {
  /** Diffuse albedo, sRGB. */
  diffuse: RgbaImage
  /** Specular albedo over `specularScale`, sRGB. */
  specular: RgbaImage
  specularScale: number
  /** Normals of fine relief, tangent space, -1..1 as 0..255; absent with `texture: 'none'`. */
  normal?: RgbaImage
  /** What is seen between the lips, sRGB, laid out by `innerMouthUv`; absent where the photograph shows a closed mouth. */
  mouth?: RgbaImage
  /** What of the light in the (first) photograph `parameters.illumination` does not know, cast shadows and second lamps: factors of the irradiance,
   * 4^((byte - 128) / 127), over the same UV. In that light only; it is no part of the skin. Absent with `texture: 'none'`. */
  shading?: RgbaImage
}

/** Where a face is in its photograph: 4 x 4 matrices column by column, for OpenGL, WebGL and three.js. */
export interface PhotographView {
  width: number
  height: number
  /** Model space to world space: scale, rotation and translation (Eq. 3). */
  modelMatrix: number[]
  /** World space to clip space of the whole photograph. */
  projectionMatrix: number[]
  /** Of the camera, world space, mm. */
  cameraPosition: [number, number, number]
}

/** A face in one picture of a video. */
export interface FollowedFace {
  /** `[Ke]` expression coefficients, in the order of `parameters.expression`. */
  expression: Float32Array
  /** Pitch, yaw, roll, radians. */
  rotation: [number, number, number]
  /** Vertices and normals of the face that follows, with this expression. */
  geometry: Pick<FaceGeometry, 'vertices' | 'normals'>
  /** Where it is in the picture. */
  view: PhotographView
}

/** Follows somebody in a video, who moves the face. */
export interface FaceFollower {
  /** Pose and expression in the next picture of the video; undefined where nobody is seen. Pictures are of one size, and one is given after the other.
   *
   * @param time - of the picture in a video that is not live, seconds, growing; default the time at which it is looked at. Smoothing goes by it.
   */
  next(frame: PhotoSource, time?: number): Promise<FollowedFace | undefined>
  /** Frees its memory. */
  dispose(): void
}

/** A reconstructed face. Its numbers are plain data; what it draws and writes is computed when it is asked for. */
export interface Face {
  /** All numbers of the face: what the command `facekit` writes to parameters.json. */
  readonly parameters: FaceDocument
  /** All faces that were found in the (first) photograph, largest first. */
  readonly faces: readonly FoundFace[]
  readonly view: PhotographView
  /** What a user should know of how good it can be, of such a photograph; mostly nothing. */
  readonly cautions: readonly Caution[]
  /** The face as binary glTF: UV, diffuse and specular maps, normal map, a map of the mouth where it is open, blend shapes and joints. */
  glb(options?: GlbOptions): Promise<Uint8Array<ArrayBuffer>>
  /** The face with its expression as USDZ, for Quick Look on iPhones and Macs, and other programs that read OpenUSD. */
  usdz(): Promise<Uint8Array<ArrayBuffer>>
  /** A picture of the face over nothing (alpha 0). */
  render(options?: RenderOptions): Promise<RgbaImage & { data: Uint8ClampedArray<ArrayBuffer> }>
  geometry(change?: ShapeChange & HeadOptions): Promise<FaceGeometry>
  /** With `head: 'full'` those that belong to the geometry of a whole head: the rest has a corner that the face leaves free. */
  maps(options?: HeadOptions): Promise<FaceMaps>
  /** Moves the face like somebody in a video: live from a camera, picture by picture. It may be another person: the shape of the one in the video is found
   * in the first picture, and only pose and expression are taken over. */
  follow(options?: HeadOptions): FaceFollower
  /** Frees the memory of the face. */
  dispose(): void
}
