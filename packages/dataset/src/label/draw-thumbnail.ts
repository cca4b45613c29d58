import type { Picture } from '@facekit/annotate'
import ndarray from 'ndarray'
import type { FaceSample } from '../samples/face-sample.js'

type Color = readonly [number, number, number]

const MOUTH: Color = [230, 40, 160]
const NO_SKIN: Color = [40, 90, 255]
const POINT: Color = [255, 225, 0]
/** How bright what is no face remains. */
const OUTSIDE = 0.4

/** A sample's crop with its labels drawn into it: what is no face is dark, the inner mouth is pink, what of the face is no bare skin is
 * blue, landmarks are yellow.
 *
 * @returns `[S, S, 3]`, new
 */
export function drawLabels({ image, annotation }: FaceSample): Picture {
  const size = image.shape[0]
  const data = Uint8Array.from(image.data)
  const { faceRegion, innerMouth, skinProbability, landmarks } = annotation
  const blend = (i: number, color: Color, share: number) => {
    for (let c = 0; c < 3; c++) data[i * 3 + c] += (color[c] - data[i * 3 + c]) * share
  }
  for (let i = 0; i < size * size; i++) {
    const [y, x] = [Math.floor(i / size), i % size]
    const region = faceRegion.get(y, x)
    for (let c = 0; c < 3; c++)
      data[i * 3 + c] *= OUTSIDE + (1 - OUTSIDE) * Math.max(region, innerMouth.get(y, x))
    blend(i, NO_SKIN, 0.45 * Math.max(0, region - skinProbability.get(y, x)))
    blend(i, MOUTH, 0.7 * innerMouth.get(y, x))
  }
  const radius = size / 120
  for (let k = 0; k < 68; k++) {
    const [x, y] = [landmarks.get(k, 0), landmarks.get(k, 1)]
    for (let row = Math.floor(y - radius); row <= y + radius; row++) {
      for (let column = Math.floor(x - radius); column <= x + radius; column++) {
        const far = Math.hypot(column + 0.5 - x, row + 0.5 - y)
        if (far > radius || row < 0 || column < 0 || row >= size || column >= size) continue
        blend(row * size + column, POINT, 1)
      }
    }
  }
  return ndarray(data, [size, size, 3])
}
