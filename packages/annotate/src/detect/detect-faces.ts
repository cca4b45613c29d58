import { tensor4d, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertInRange, assertInteger, ValueError } from '@facekit/core'
import { cachedNetwork } from '../network-cache.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import { resample, type Raster } from '../pictures/resample.js'
import type { SimilarityTransform } from '../pictures/similarity-transform.js'
import { stretchedRaster, visibleRaster } from '../pictures/stretch-contrast.js'
import { suppress } from './box.js'
import type { DetectorNetwork, FaceDetection } from './detector-network.js'
import {
  boxInPicture,
  cutByView,
  fineTiles,
  halfTiles,
  marginView,
  wholeView,
  type DetectorView,
} from './detector-views.js'
import { createSsdDetector } from './ssd-detector-network.js'
import { createTinyDetector } from './tiny-detector-network.js'

const orientations = ['auto', 'all', 'turned', 'upright'] as const
type Orientation = (typeof orientations)[number]

/** Options of `detectFaces`. */
export interface DetectFacesOptions {
  /** Least score of a face, 0..1. Default 0.5. */
  minScore?: number
  /** Most faces to return, those with the highest scores. Default: all. */
  maxFaces?: number
  /** `'accurate'`: MobileNet v1 SSD (5.6 MB). `'fast'`: a tiny YOLO (0.2 MB), misses small faces. Default `'accurate'`. */
  detector?: 'accurate' | 'fast'
  /** `'auto'`: faces that lie on their side or stand on their head are looked for where no upright one is found. `'all'`: always, at
   * four times the cost. `'turned'`: only such faces. `'upright'`: no such faces. Default `'auto'`. */
  orientation?: Orientation
}

/** Finds the faces in a picture.
 *
 * The network sees the whole picture, made square with black and scaled to 512 x 512 (`'fast'`: 416 x 416) pixels, and, where the
 * picture is larger than about 2,000 pixels, overlapping tiles of it, so that faces of 50 pixels are found in a picture of any size: the
 * cost grows with the picture's area. If it finds nothing, it sees the picture with a wide margin, where a face may fill the picture or
 * the picture be small; in overlapping halves; and turned by 90, 180 and 270 degrees. A
 * dark, flat or tinted picture it sees with its contrast stretched.
 *
 * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1; any size
 * @returns boxes in pixels of the picture, highest score first; none when there is no face. A box is not clipped: that of a
 *   face half outside reaches outside. `quarterTurns` is there for faces that don't stand upright.
 *
 * @differentiable no
 * @memory plain data; the network is loaded on first use and kept, see `disposeNetworks`
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
  return (await searchFaces(await readRaster('detectFaces: picture', picture), options)).faces
}

/** As `detectFaces`; `seen` is the picture that the faces were found in, whose contrast may be stretched. */
export async function searchFaces(
  raster: Raster,
  options: DetectFacesOptions,
): Promise<{ faces: FaceDetection[]; seen: Raster }> {
  const { minScore = 0.5, maxFaces = Infinity, detector = 'accurate', orientation = 'auto' } = options
  assertInRange('detectFaces: minScore', minScore, 0, 1)
  if (maxFaces !== Infinity) assertInteger('detectFaces: maxFaces', maxFaces, 1)
  if (detector !== 'accurate' && detector !== 'fast') {
    throw new ValueError(`detectFaces: detector is "${String(detector)}", expected "accurate" or "fast"`)
  }
  if (!orientations.includes(orientation)) {
    throw new ValueError(
      `detectFaces: orientation is "${String(orientation)}", expected one of ${orientations.join(', ')}`,
    )
  }
  const network =
    detector === 'accurate'
      ? await cachedNetwork('face-detector', createSsdDetector)
      : await cachedNetwork('tiny-face-detector', createTinyDetector)
  for (const { seen, views } of attempts(raster, network.inputSize, orientation)) {
    const faces = await detectInViews(seen, views, network, minScore)
    if (faces.length > 0) return { faces: faces.slice(0, maxFaces), seen }
  }
  return { faces: [], seen: raster }
}

// Contributor notes. The SSD is surest of faces that are 40 to 60 of its 512 pixels wide. Bald rendered heads that fill 40 % of the picture score
// 0.05 to 0.7 as they are (9 of 23 over 0.5); with these margins 12, 21 and 22 of 23, and all of 80 in one or another.
/** Widths of the picture that the network sees in turn where a picture shows no face as it is. */
const MARGINS = [4, 5, 2]

/** What the network is shown, in turn, until it finds something. */
function* attempts(
  raster: Raster,
  inputSize: number,
  orientation: Orientation,
): Generator<{ seen: Raster; views: DetectorView[] }> {
  const whole = [wholeView(raster), ...fineTiles(raster, inputSize)]
  const turned = [1, 2, 3].map((quarterTurns) => wholeView(raster, quarterTurns))
  const upright = [
    whole,
    ...MARGINS.map((factor) => [marginView(raster, factor)]),
    halfTiles(raster, inputSize),
  ]
  const order = {
    upright,
    turned: [turned],
    auto: [...upright, turned],
    all: [[...whole, ...turned], ...upright.slice(1)],
  }[orientation]
  const visible = visibleRaster(raster)
  for (const views of order) yield { seen: visible, views }
  const other = visible === raster ? stretchedRaster(raster) : raster
  if (other) for (const views of order) yield { seen: other, views }
}

/** The faces of all views, each once, highest score first. */
async function detectInViews(
  raster: Raster,
  views: readonly DetectorView[],
  network: DetectorNetwork,
  minScore: number,
): Promise<FaceDetection[]> {
  const found: FaceDetection[] = []
  for (const view of views) found.push(...(await detectInView(raster, view, network, minScore)))
  const faces = suppress(found, network.overlap)
  // Two views draw the box of a face differently, the coarser one with much around it.
  return views.length > 1 ? suppress(faces, WITHIN, 'smaller') : faces
}

/** Boxes of several views that share more than this of the smaller one are one face. */
const WITHIN = 0.7

async function detectInView(
  raster: Raster,
  view: DetectorView,
  network: DetectorNetwork,
  minScore: number,
): Promise<FaceDetection[]> {
  const { inputSize } = network
  const window = { x: 0, y: 0, width: inputSize, height: inputSize }
  const { data, inside } = resample(raster, viewTransform(view, inputSize), window)
  for (let i = 0; i < data.length; i++) data[i] *= inside[Math.floor(i / 3)]
  const image = tensor4d(data, [1, inputSize, inputSize, 3])
  try {
    const found = suppress(await network.detect(image, minScore), network.overlap)
    return found.flatMap(({ box: seen, score }) => {
      const box = boxInPicture(seen, view)
      if (!overlapsPicture(box, raster) || cutByView(box, view, raster)) return []
      return [{ box, score, ...(view.quarterTurns > 0 && { quarterTurns: view.quarterTurns }) }]
    })
  } finally {
    image.dispose()
  }
}

/** Pixels of the picture to pixels of the network's input. */
function viewTransform({ x, y, size, quarterTurns }: DetectorView, inputSize: number): SimilarityTransform {
  const scale = inputSize / size
  if (quarterTurns === 0) return { scale, rotation: 0, translation: [-x * scale, -y * scale] }
  const rotation = (-quarterTurns * Math.PI) / 2
  const [c, s] = [scale * Math.cos(rotation), scale * Math.sin(rotation)]
  const [centreX, centreY] = [x + size / 2, y + size / 2]
  const middle = inputSize / 2
  return {
    scale,
    rotation,
    translation: [middle - (c * centreX - s * centreY), middle - (s * centreX + c * centreY)],
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
