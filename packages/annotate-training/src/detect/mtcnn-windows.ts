import type { Random } from '@facekit/core'
import {
  type Box,
  type ImagePyramid,
  type MtcnnStage,
  cutFromPyramid,
  mtcnnSizes,
  overlapOf,
  squareAround,
} from '@facekit/annotate'
import type { SceneFace } from './face-scene.js'

/** A window of a picture, and what it supervisionMask a stage of MTCNN. */
export interface MtcnnWindow {
  /** `[S, S, 3]` encoded, of the stage's size. */
  pixels: Uint8Array
  /** Overlap with a face (intersection over union): at least 0.65, at least 0.4, below 0.3. */
  kind: 'face' | 'part' | 'none'
  /** Sides of the face, as the network's output `box`. */
  box: readonly number[]
  /** Its points, as the network's output `points`; undefined when they are unknown. */
  points?: readonly number[]
}

/** Options of `drawMtcnnWindows`. */
export interface MtcnnWindowsOptions {
  /** Of each kind for each face. Default 4, 2 and 3. */
  perFace?: readonly [face: number, part: number, none: number]
  /** Windows anywhere that show no face. Default 12. */
  anywhere?: number
  /** Smallest window in pixels of the picture. Default 12. */
  minSize?: number
  /** Boxes that an earlier stage takes for faces (`runCascade`): the squares around them teach what they are. */
  candidates?: readonly Box[]
  /** Most candidates that show no face. Default 20. */
  mostFalse?: number
}

/** Draws windows of a picture at random for training a stage of MTCNN, half of them mirrored.
 *
 * By the overlap with the faces, as in section III-A of Zhang et al. 2016: faces from 0.65, parts from 0.4, nothing below 0.3.
 *
 * @param pyramid - of the picture, see `createPyramid`
 */
export function drawMtcnnWindows(
  pyramid: ImagePyramid,
  faces: readonly SceneFace[],
  stage: MtcnnStage,
  random: Random,
  options: MtcnnWindowsOptions = {},
): MtcnnWindow[] {
  const { perFace = [4, 2, 3], anywhere = 12, minSize = 12, candidates = [], mostFalse = 20 } = options
  const found: MtcnnWindow[] = []
  const take = (square: Box) => {
    const label = labelWindow(square, faces)
    if (label) found.push(cut(pyramid, square, label, mtcnnSizes[stage], random.uniform() < 0.5))
  }
  const wanted = (kind: MtcnnWindow['kind'], count: number, draw: () => Box) => {
    for (let tries = 0, taken = 0; taken < count && tries < 20 * count; tries++) {
      const square = draw()
      if (square.width < minSize || labelWindow(square, faces)?.kind !== kind) continue
      take(square)
      taken++
    }
  }
  for (const { box, ignored } of faces) {
    if (ignored || Math.max(box.width, box.height) < minSize) continue
    const near = (shift: number, low: number, high: number) => () => {
      const side = random.uniform(
        low * Math.min(box.width, box.height),
        high * Math.max(box.width, box.height),
      )
      const [dx, dy] = [random.uniform(-shift, shift) * box.width, random.uniform(-shift, shift) * box.height]
      return squareAt(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy, side)
    }
    wanted('face', perFace[0], near(0.2, 0.8, 1.25))
    wanted('part', perFace[1], near(0.4, 0.7, 1.4))
    wanted('none', perFace[2], near(1, 0.3, 1.6))
  }
  const largest = Math.min(pyramid.width, pyramid.height)
  wanted('none', anywhere, () => {
    const side = Math.exp(random.uniform(Math.log(minSize), Math.log(Math.max(minSize + 1, largest))))
    return squareAt(random.uniform(0, pyramid.width), random.uniform(0, pyramid.height), side)
  })
  let wrong = 0
  for (const square of candidates.map(squareAround)) {
    const kind = labelWindow(square, faces)?.kind
    if (kind === 'none' && wrong++ >= mostFalse) continue
    take(square)
  }
  return found
}

const squareAt = (x: number, y: number, side: number): Box => ({
  x: x - side / 2,
  y: y - side / 2,
  width: side,
  height: side,
})

interface Label {
  kind: MtcnnWindow['kind']
  face?: SceneFace
}

/** What a window shows; undefined between the kinds, and where an ignored face is. */
function labelWindow(square: Box, faces: readonly SceneFace[]): Label | undefined {
  let best: Label & { overlap: number } = { kind: 'none', overlap: 0 }
  for (const face of faces) {
    if (face.ignored && overlapOf(square, face.box, 'smaller') > 0.3) return undefined
    const overlap = overlapOf(square, face.box)
    if (overlap > best.overlap) best = { kind: 'none', overlap, face }
  }
  if (best.overlap >= 0.65) return { kind: 'face', face: best.face }
  if (best.overlap >= 0.4) return { kind: 'part', face: best.face }
  return best.overlap < 0.3 ? { kind: 'none' } : undefined
}

/** Where the five points are in a mirrored face. */
const MIRRORED = [1, 0, 2, 4, 3]

function cut(
  pyramid: ImagePyramid,
  square: Box,
  { kind, face }: Label,
  size: number,
  mirrored: boolean,
): MtcnnWindow {
  const { x, y, width: side } = square
  const data = cutFromPyramid(pyramid, { x, y, step: side / size }, { width: size, height: size })
  const pixels = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const [row, rest] = [Math.floor(i / (3 * size)), i % (3 * size)]
    const column = Math.floor(rest / 3)
    const from = mirrored ? (row * size + size - 1 - column) * 3 + (rest % 3) : i
    pixels[i] = Math.round(data[from])
  }
  if (!face) return { pixels, kind, box: [0, 0, 0, 0] }
  const { box, fivePoints } = face
  const left = (box.x - x) / side
  const right = (box.x + box.width - x - side) / side
  const top = (box.y - y) / side
  const bottom = (box.y + box.height - y - side) / side
  const sides = mirrored ? [-right, top, -left, bottom] : [left, top, right, bottom]
  const points =
    fivePoints &&
    Array.from({ length: 10 }, (_, i) => {
      const point = mirrored ? MIRRORED[i >> 1] : i >> 1
      const value = (fivePoints.get(point, i & 1) - (i & 1 ? y : x)) / side
      return mirrored && !(i & 1) ? 1 - value : value
    })
  return { pixels, kind, box: sides, points }
}
