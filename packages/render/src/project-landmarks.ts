import { ValueError, assertShape } from '@facekit/core'
import { gatherVertices, type MorphableModel } from '@facekit/morphable'
import { concat, tidy, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertView, type Camera, type PictureSize } from './camera.js'
import { clipToPixels } from './clip-to-pixels.js'
import { projectVertices } from './project-vertices.js'
import { JAW_COUNT, visibleJaw } from './visible-contour.js'

/** Which points the 17 jaw landmarks are: always the same vertices, or the outline that is seen. */
export type Contour = 'fixed' | 'visible'

/** @throws {ValueError} for an unknown contour */
export function assertContour(who: string, contour: Contour): void {
  if (contour !== 'fixed' && contour !== 'visible') {
    throw new ValueError(`${who}: contour is ${String(contour)}, expected 'fixed' or 'visible'`)
  }
}

/** Pixels of the 68 landmarks.
 *
 * With `contour: 'visible'` each jaw landmark slides along its row of `model.jawContours` to the vertex that is outermost in the
 * picture; a model without `jawContours` keeps its fixed ones.
 *
 * @param vertices - `[B, N, 3]` mm, world space, from `transformVertices`
 * @param options - the picture's size, the camera, and, for the visible contour, the pose's `rotation` `[B, 3]`: outermost is
 * meant sideways of the tilted head (default: upright)
 * @returns `[B, 68, 2]` pixels, origin top left, pixel centres at +0.5; finite for points behind the camera
 * @differentiable vertices; the choice of a visible contour carries no gradient
 * @memory the caller owns the result
 * @throws {ShapeError} when `vertices` is not of the model
 * @throws {ValueError} for an unknown contour, or a wrong camera or size
 */
export function projectLandmarks(
  vertices: Tensor3D,
  model: MorphableModel,
  options: PictureSize & { camera: Camera; contour?: Contour; rotation?: Tensor2D },
): Tensor3D {
  const { width, height, camera, contour = 'fixed', rotation } = options
  const size = { width, height }
  const known = assertShape('projectLandmarks: vertices', vertices, ['B', model.vertexCount, 3])
  assertView('projectLandmarks', camera, size)
  assertContour('projectLandmarks', contour)
  if (rotation) assertShape('projectLandmarks: rotation', rotation, ['B', 3], known)
  return tidy(() => {
    const rows = model.jawContours
    let points: Tensor3D
    if (contour === 'visible' && rows) {
      const jaw = visibleJaw(vertices, model, rows, { camera, size, rotation })
      points = concat([jaw, gatherVertices(vertices, model.landmarks.subarray(JAW_COUNT))], 1)
    } else {
      points = gatherVertices(vertices, model.landmarks)
    }
    return clipToPixels(projectVertices(points, camera, size), size)
  })
}
