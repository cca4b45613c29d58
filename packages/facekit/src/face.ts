import type { FaceDocument } from './stages/face-document.js'
import type { RgbaImage } from './photo-source.js'
import type { FoundFace, RenderOptions, ShapeChange } from './options.js'

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
  /** `[N]` mm: radius in which each vertex lies with a probability of 68 %; absent with the method `regress`. */
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

/** A reconstructed face. Its numbers are plain data; what it draws and writes is computed when it is asked for. */
export interface Face {
  /** All numbers of the face: what the command `facekit` writes to parameters.json. */
  readonly parameters: FaceDocument
  /** All faces that were found in the photograph, largest first. */
  readonly faces: readonly FoundFace[]
  readonly view: PhotographView
  /** The face as binary glTF: UV, diffuse and specular maps, normal map. */
  glb(): Promise<Uint8Array<ArrayBuffer>>
  /** A picture of the face over nothing (alpha 0). */
  render(options?: RenderOptions): Promise<RgbaImage & { data: Uint8ClampedArray<ArrayBuffer> }>
  geometry(change?: ShapeChange): Promise<FaceGeometry>
  maps(): Promise<FaceMaps>
  /** Frees the memory of the face. */
  dispose(): void
}
