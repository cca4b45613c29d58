import { annotate, findLandmarks, type FaceAnnotation, type FaceDetection } from '@facekit/annotate'
import { AnnotationError } from '@facekit/core'
import { zeros } from '@tensorflow/tfjs-core'
import type { Networks } from '../options.js'
import type { Photo } from './read-photo.js'

/** Labels one face that was found: landmarks, crop, face region, skin.
 *
 * The small networks are 68 landmarks of face-api (0.4 MB) and the dense ones, which the shape follows; the region is the landmarks' outline.
 *
 * @throws {AnnotationError} when it turns out to be no face
 */
export async function annotateFace(
  { picture }: Photo,
  detection: FaceDetection,
  networks: Networks,
  signal: AbortSignal | undefined,
): Promise<FaceAnnotation> {
  let reason = 'its landmarks were not found'
  const { quarterTurns = 0 } = detection
  const [annotation] = await annotate(picture, {
    signal,
    detector: async () => [detection],
    onReject: (_, why) => (reason = why),
    ...(networks === 'small'
      ? {
          landmarks: (image, box) => findLandmarks(image, box, { network: 'dense', quarterTurns }),
          // Nobody asks for the identity features.
          embedder: (images) => zeros([images.shape[0], 1]),
        }
      : { segmenter: 'network' as const }),
  })
  if (!annotation)
    throw new AnnotationError(`reconstruct: no face found (${reason}); choose another face or photograph`)
  return annotation
}
