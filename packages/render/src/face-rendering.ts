import type { Fragments } from '@facekit/rasterizer'
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'

/** What `renderFace` gives. */
export interface FaceRendering {
  /** `[B, H, W, 3]` encoded, 0..1: diffuse and specular light together, over the background. */
  image: Tensor4D
  /** `[B, H, W, 3]` encoded, 0..1: diffuse light alone, over black. */
  diffuse: Tensor4D
  /** `[B, H, W, 3]` encoded, 0..1: specular light alone, over black. */
  specular: Tensor4D
  /** `[B, H, W, 1]` 0..1: the share of each pixel that the face's surface covers, without the inner mouth. */
  mask: Tensor4D
  /** `[B, H, W, 1]` 0..1: the share of each pixel in which the inner mouth is seen. */
  innerMouth: Tensor4D
  /** `[B, 68, 2]` pixels, origin at the top left, y down, pixel centres at +0.5. */
  landmarks: Tensor3D
  /** `[B, N, 3]` mm, world space. */
  vertices: Tensor3D
  /** `[B, N, 3]` of unit length, world space. */
  normals: Tensor3D
  /** `[B, N, 3]` linear RGB: the diffuse albedo in the diffuse light, at the vertices. */
  litDiffuse: Tensor3D
  /** What is seen at each pixel. Triangles from 0 are those of the model, from `model.triangles.length / 3` on those of the
   * inner mouth. */
  fragments: Fragments
}
