import type { Box, Picture, Points } from '@facekit/annotate'

/** A face in a picture, as an annotation tells. */
export interface SceneFace {
  /** Pixels of the picture. */
  box: Box
  /** `[5, 2]` eye centres, nose tip, corners of the mouth, the subject's right first; pixels of the picture. Not all sets tell. */
  fivePoints?: Points
  /** Neither taught as a face nor as none: too small, blurred, or no box that fits. */
  ignored?: boolean
}

/** A picture in which all faces are known. */
export interface FaceScene {
  name: string
  /** Decodes the picture. */
  read(): Promise<Picture>
  faces: readonly SceneFace[]
}

/** The box that a detector shall find around 68 landmarks: from temple to temple, from the chin to the middle of the forehead.
 *
 * @param landmarks - `[68, 2]`
 */
export function boxAroundLandmarks(landmarks: Points): Box {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity]
  for (let k = 0; k < landmarks.shape[0]; k++) {
    for (let axis = 0; axis < 2; axis++) {
      bounds[axis] = Math.min(bounds[axis], landmarks.get(k, axis))
      bounds[axis + 2] = Math.max(bounds[axis + 2], landmarks.get(k, axis))
    }
  }
  const [left, top, right, bottom] = bounds
  const forehead = 0.25 * (bottom - top)
  return { x: left, y: top - forehead, width: right - left, height: bottom - top + forehead }
}
