import type { Random } from '@facekit/core'
import { sampleTransform } from './sample-looks.js'
import type { SynthesizerSettings } from '../complete-options.js'

const log = (random: Random, from: number, to: number) =>
  Math.exp(random.uniform(Math.log(from), Math.log(to)))

/** A mixing of colour channels that keeps most of what there is, and what is added: `[12]`. */
function sampleColorMap(random: Random, strength: number): number[] {
  const result: number[] = []
  for (let from = 0; from < 3; from++) {
    for (let to = 0; to < 3; to++) result.push((from === to ? 1 : 0) + random.normal(0, strength))
  }
  return [...result, 0, 0, 0].map((value, i) => (i < 9 ? value : random.normal(0, strength * 0.3)))
}

/** What lies behind the head, and what lies before it without being of its space. */
export function sampleBackground(random: Random, { background, occluders }: SynthesizerSettings) {
  const plain = random.uniform() < background.plain
  const bright = log(random, 0.15, 1.6)
  const patches = [0, 1].flatMap((i) => {
    const on = random.uniform() < occluders.patch * (i === 0 ? 1 : 0.4)
    // Most at the edges, where photographs have them.
    const [angle, away] = [random.uniform(0, 2 * Math.PI), random.uniform(0.15, 0.6)]
    const turn = random.uniform(0, Math.PI)
    return [
      0.5 + Math.cos(angle) * away,
      0.5 + Math.sin(angle) * away,
      log(random, 0.04, 0.3),
      log(random, 0.04, 0.3),
      Math.cos(turn),
      Math.sin(turn),
      random.uniform() < 0.5 ? 2 : 10,
      on ? 1 : 0,
    ]
  })
  return {
    nearTransform: sampleTransform(random, 0.08, 1.2),
    farTransform: sampleTransform(random, 0.05, 0.8),
    shapeTransform: sampleTransform(random, 0.15, 1.5),
    // Blur of both, of the border between them; threshold; share of the pictures' structure.
    backgroundLook: [
      log(random, 0.4, 40),
      log(random, 0.4, 40),
      random.normal(0, 0.8),
      log(random, 0.8, 60),
      plain ? random.uniform(0, 0.15) : 1,
      random.normal(0, plain ? 0.15 : 0.35),
      random.normal(0, plain ? 0.15 : 0.35),
    ],
    backgroundColors: [0, 1].flatMap(() => sampleColorMap(random, random.uniform() < 0.25 ? 0.35 : 0.09)),
    backgroundBase: [0, 1, 2].map(() => random.uniform(0.02, 0.9) ** 1.5),
    backgroundLight: [bright],
    patches,
    patchTransform: sampleTransform(random, 0.1, 1.5),
  }
}

/** Width of a face in the aligned crop, in widths of the picture. */
const FACE_SHARE = 0.66
/** A picture that is made small keeps so many pixels. */
const SMALLEST = 12

/** What a camera and a file format do to a picture.
 *
 * @param scale - size of the face relative to the aligned crop
 */
export function sampleCamera(random: Random, { camera, size }: SynthesizerSettings, scale: number) {
  const happens = (share: number) => random.uniform() < share
  const angle = random.uniform(0, 2 * Math.PI)
  const moved = happens(0.3) ? camera.blur * random.uniform(0, 0.012) : 0
  const enlarged = (FACE_SHARE * scale * size) / log(random, ...camera.faceSize)
  const coarse = Math.min(size / SMALLEST, 1 + camera.blur * Math.max(0, enlarged - 1))
  const defocus = 1 + camera.blur * (happens(0.4) ? random.uniform(0, 1) ** 2 * 3 : 0)
  const sharpened = camera.blur * (happens(0.3) ? random.uniform(0, 1.2) : 0)
  const noisy = camera.noise * (happens(0.55) ? random.uniform(0, 1) ** 2 * 0.07 : 0)
  const cast = camera.color
  const saturation = 1 + cast * random.normal(0, 0.22) - (happens(0.06 * cast) ? 1 : 0)
  const gains = [0, 1, 2].map(() => Math.exp(cast * random.normal(0, 0.07)))
  const luminance = [0.299, 0.587, 0.114]
  const matrix: number[] = []
  for (let from = 0; from < 3; from++) {
    for (let to = 0; to < 3; to++) {
      matrix.push(
        gains[to] *
          (luminance[from] * (1 - Math.max(0, saturation)) + (from === to ? Math.max(0, saturation) : 0)),
      )
    }
  }
  return {
    // Pixels of the picture for one of the file, pixels of the file over which it is blurred, sharpening.
    cameraCoarse: [coarse, defocus, sharpened],
    cameraMotion: [Math.cos(angle) * moved, Math.sin(angle) * moved],
    cameraMatrix: matrix,
    // Contrast, brightness, gamma.
    cameraTone: [
      Math.exp(cast * random.normal(0, 0.13)),
      cast * random.normal(0, 0.04),
      Math.exp(cast * random.normal(0, 0.18)),
    ],
    // Even, with brightness, share of colour, grain size, place.
    cameraNoise: [
      noisy * random.uniform(),
      noisy * random.uniform(),
      random.uniform(),
      happens(0.5) ? 1 : log(random, 0.35, 1),
      random.integer(256) / 256,
      random.integer(256) / 256,
    ],
    // Step of the coarsest quantisation, 0: none.
    cameraBlocks: [happens(0.6 * camera.compression) ? log(random, 0.004, 0.09) : 0],
  }
}
