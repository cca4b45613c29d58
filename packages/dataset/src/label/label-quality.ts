import { invertTransform, applyTransform } from '@facekit/annotate'
import ndarray from 'ndarray'
import type { FaceSample } from '../samples/face-sample.js'

/** Face pixels of a crop in which nothing is in front of a face that looks straight ahead, as a share of the crop. */
const USUAL_REGION = 0.3

/** How good the labels of a face seem, as numbers from 0 (doubtful) to 1 (good), to sort and to filter by. Guesses from the labels
 * themselves, not measured against the truth.
 *
 * - `detection`: the detector's score
 * - `resolution`: pixels of the picture for a pixel of the crop, 1 where the crop is no enlargement
 * - `inside`: share of the crop that lies inside of the picture
 * - `region`: how much of a usual face is seen
 * - `skin`: how much of the seen face seems to be bare skin
 * - `frontal`: how far the nose is from the nearer end of the jaw, against the farther one; small for profiles
 *
 * @example
 * labelQuality(sample) // { detection: 0.99, resolution: 0.62, inside: 1, region: 1, skin: 0.81, frontal: 0.9 }
 */
export function labelQuality(
  sample: Pick<FaceSample, 'image' | 'annotation' | 'source'>,
): Record<string, number> {
  const { annotation, image, source } = sample
  const { score, transform, landmarks, faceRegion, skinProbability } = annotation
  const size = image.shape[0]
  let region = 0
  let skin = 0
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      region += faceRegion.get(y, x)
      skin += skinProbability.get(y, x)
    }
  }
  const towards = (jaw: number) => Math.abs(landmarks.get(30, 0) - landmarks.get(jaw, 0))
  const [near, far] = [towards(0), towards(16)].sort((a, b) => a - b)
  return {
    detection: clamp(score),
    resolution: clamp(1 / transform.scale),
    inside: source ? insideShare(size, sample as FaceSample) : 1,
    region: clamp(region / (USUAL_REGION * size * size)),
    skin: region > 0 ? clamp(skin / region) : 0,
    frontal: far > 0 ? clamp(near / far) : 0,
  }
}

/** Share of the crop that lies inside of the picture, from a grid of its points. */
function insideShare(size: number, { annotation, source }: FaceSample): number {
  const steps = 16
  const grid = Float32Array.from({ length: steps * steps * 2 }, (_, i) => {
    const step = i & 1 ? Math.floor(i / 2 / steps) : (i >> 1) % steps
    return ((step + 0.5) * size) / steps
  })
  const points = applyTransform(invertTransform(annotation.transform), ndarray(grid, [steps * steps, 2]))
  let inside = 0
  for (let i = 0; i < steps * steps; i++) {
    const [x, y] = [points.get(i, 0), points.get(i, 1)]
    if (x >= 0 && y >= 0 && x <= source!.width && y <= source!.height) inside++
  }
  return inside / (steps * steps)
}

const clamp = (value: number) => Math.min(1, Math.max(0, value))
