import type { ParameterLayout } from '@facekit/parameters'
import type { NdArray } from 'ndarray'

/** A 3D morphable face model, on the CPU. Plain data: nothing here needs to be disposed.
 *
 * Space: millimetres, right-handed, +x to the right of the picture, +y up, +z out of the face. The evaluation functions
 * upload what they need once per backend and keep it until `disposeModel(model)`.
 */
export interface MorphableModel {
  readonly name: string
  /** Licence of the model's data, e.g. an SPDX identifier. */
  readonly license: string
  /** Where the data comes from and how it was made, in a sentence or two. */
  readonly origin: string
  /** N. */
  readonly vertexCount: number
  /** `[F * 3]` vertex indices, counter-clockwise seen from outside. Does not hold the inner mouth. */
  readonly triangles: Int32Array
  /** `[P * 4]` the polygons that the triangles were made of, for export; -1 in the fourth place of those that are triangles. */
  readonly polygons?: Int32Array
  /** `[68]` vertex of each landmark of iBUG / 300-W. */
  readonly landmarks: Int32Array
  /** `[L]` vertices of dense landmarks: the 68 of `landmarks` first, then points spread over the skin, lid margins, lip
   * contours, irises. Their order is the points' meaning: networks that find them rely on it. */
  readonly denseLandmarks?: Int32Array
  /** `[L]` place among `denseLandmarks` of each one's mirror image; a point on the midline is its own. */
  readonly denseMirror?: Int32Array
  /** For each of the 17 jaw landmarks: vertices that can be the visible contour at its height, from the ear inwards
   * on the landmark's own side. When the head turns, the contour slides over them. */
  readonly jawContours?: readonly Int32Array[]
  /** `[M * 3]` vertex indices of triangles that close the mouth opening between the lips. */
  readonly innerMouthTriangles: Int32Array
  /** `[N, 2]` texture coordinates in 0..1, origin at the lower left of the texture. */
  readonly uv?: NdArray<Float32Array>
  /** Named sets of vertices, e.g. `skin`, `lips`, `brows`, `sclera`, `iris`. */
  readonly regions?: Readonly<Record<string, Int32Array>>
  readonly shape: {
    /** `[N, 3]` mm. */
    readonly mean: NdArray<Float32Array>
    /** `[Ki, N, 3]` mm, one standard deviation of each identity mode. */
    readonly identity: NdArray<Float32Array>
    /** `[Ke, N, 3]` mm, one standard deviation (or full activation, see `expressionRange`) of each expression mode. */
    readonly expression: NdArray<Float32Array>
    /** Names of the expression modes, if they mean something. */
    readonly expressionNames?: readonly string[]
    /** Smallest and largest believable expression coefficient, e.g. [0, 1] for blendshapes; absent: normally distributed. */
    readonly expressionRange?: readonly [number, number]
  }
  readonly albedo: {
    /** `[N, 3]` linear RGB. */
    readonly diffuseMean: NdArray<Float32Array>
    /** `[Kt, N, 3]` linear RGB, one standard deviation of each mode. */
    readonly diffuse: NdArray<Float32Array>
    /** `[N, 3]` linear RGB. */
    readonly specularMean: NdArray<Float32Array>
    /** `[Kt, N, 3]` linear RGB; driven by the same coefficients as `diffuse` (paper, Eq. 2). */
    readonly specular: NdArray<Float32Array>
  }
  /** Numbers of coefficients Ki, Ke, Kt. */
  readonly layout: ParameterLayout
}
