import { tensor4d, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertInRange, assertInteger, ValueError } from '@facekit/core'
import { suppressOverlaps, type DetectorNetwork, type FaceDetection } from './detector-network.js'
import { cachedNetwork } from '../network-cache.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import { resample, type Raster } from '../pictures/resample.js'
import { createSsdDetector } from './ssd-detector-network.js'
import { createTinyDetector } from './tiny-detector-network.js'

/** Options of `detectFaces`. */
export interface DetectFacesOptions {
  /** Least score of a face, 0..1. Default 0.5. */
  minScore?: number
  /** Most faces to return, those with the highest scores. Default 100. */
  maxFaces?: number
  /** `'accurate'`: MobileNet v1 SSD (5.6 MB). `'fast'`: a tiny YOLO (0.2 MB), misses small faces. Default `'accurate'`. */
  detector?: 'accurate' | 'fast'
}

/** A square of a picture that a detector looks at, in pixels. */
interface View {
  x: number
  y: number
  size: number
}

/** Finds the faces in a picture.
 *
 * The network looks at the whole picture, made square with black and scaled to 512 x 512 (`'fast'`: 416 x 416) pixels. If it
 * finds nothing, it looks again with a wide margin, where a face may fill the picture or the picture be small, and then, if
 * the picture is large, at overlapping squares of half its size, where faces may be small in it.
 *
 * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1; any size
 * @returns boxes in pixels of the picture, highest score first; none when there is no face. A box is not clipped: that of a
 *   face half outside reaches outside.
 * @differentiable no
 * @memory plain data. The network is loaded on first use and kept, see `disposeNetworks`.
 * @throws {ShapeError} when the picture is not `[H, W, 3]`
 * @throws {ImageError} when it is absurdly large or not finite
 * @throws {ValueError} when an option is out of range
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const [face] = await detectFaces(await readPicture('me.jpg'))
 * face?.box // { x, y, width, height }
 */
export async function detectFaces(
  picture: Picture | Tensor3D,
  options: DetectFacesOptions = {},
): Promise<FaceDetection[]> {
  const { minScore = 0.5, maxFaces = 100, detector = 'accurate' } = options
  assertInRange('detectFaces: minScore', minScore, 0, 1)
  assertInteger('detectFaces: maxFaces', maxFaces, 1)
  if (detector !== 'accurate' && detector !== 'fast') {
    throw new ValueError(`detectFaces: detector is "${String(detector)}", expected "accurate" or "fast"`)
  }
  const raster = await readRaster('detectFaces: picture', picture)
  const network =
    detector === 'accurate'
      ? await cachedNetwork('face-detector', createSsdDetector)
      : await cachedNetwork('tiny-face-detector', createTinyDetector)
  for (const views of viewsOf(raster, network.inputSize)) {
    const found: FaceDetection[] = []
    for (const view of views) found.push(...(await detectInView(raster, view, network, minScore)))
    const faces = suppressOverlaps(found, network.overlap).slice(0, maxFaces)
    if (faces.length > 0) return faces
  }
  return []
}

/** What to look at, in turn, until something is found. */
function viewsOf({ width, height }: Raster, inputSize: number): View[][] {
  const longer = Math.max(width, height)
  const shorter = Math.min(width, height)
  const whole = { x: 0, y: 0, size: longer }
  const withMargin = (size: number) => ({ x: (width - size) / 2, y: (height - size) / 2, size })
  const views = [[whole], [withMargin(4 * longer)], [withMargin(2 * longer)]]
  const size = Math.min(shorter, Math.ceil(longer / 2))
  if (size > inputSize / 2) {
    const starts = (length: number) => {
      const count = Math.ceil((length - size) / (size * 0.75)) + 1
      return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : (i * (length - size)) / (count - 1)))
    }
    const tiles = starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, size })))
    // A picture of absurd proportions would be looked at for minutes.
    if (tiles.length <= 64) views.push(tiles)
  }
  return views
}

async function detectInView(
  raster: Raster,
  { x, y, size }: View,
  network: DetectorNetwork,
  minScore: number,
): Promise<FaceDetection[]> {
  const { inputSize } = network
  const scale = inputSize / size
  const transform = { scale, rotation: 0, translation: [-x * scale, -y * scale] as [number, number] }
  const { data, inside } = resample(raster, transform, { x: 0, y: 0, width: inputSize, height: inputSize })
  for (let i = 0; i < data.length; i++) data[i] *= inside[Math.floor(i / 3)]
  const image = tensor4d(data, [1, inputSize, inputSize, 3])
  try {
    const found = await network.detect(image, minScore)
    const faces = suppressOverlaps(found, network.overlap).map(({ box, score }) => ({
      box: {
        x: box.x * size + x,
        y: box.y * size + y,
        width: box.width * size,
        height: box.height * size,
      },
      score,
    }))
    return faces.filter(({ box }) => overlapsPicture(box, raster))
  } finally {
    image.dispose()
  }
}

/** Whether the box's centre lies in the picture, give or take a quarter of the box: what is said of the black margin is noise. */
function overlapsPicture(box: FaceDetection['box'], { width, height }: Raster): boolean {
  const x = box.x + box.width / 2
  const y = box.y + box.height / 2
  return (
    box.width > 0 &&
    box.height > 0 &&
    Math.abs(x - width / 2) <= width / 2 + box.width / 4 &&
    Math.abs(y - height / 2) <= height / 2 + box.height / 4
  )
}
