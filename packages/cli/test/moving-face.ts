import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { writePng } from '@facekit/export'
import { createParameters, neutralParameters, readParameters } from '@facekit/parameters'
import { renderFace } from '@facekit/render'
import ndarray from 'ndarray'

/** One picture of the clip, as it was made. */
export interface MovedFace {
  yaw: number
  /** By ARKit's names. */
  weights: Record<string, number>
  covered?: boolean
  /** `[68 * 2]` pixels. */
  landmarks: Float32Array
}

/** Width and height of the pictures. */
const CLIP_SIZE = 384
/** The head is smaller than in a crop of 224: pixels of the clip in a pixel of such a crop. */
const SCALE = 0.8

/** At rest for nine pictures, then a turn with the mouth opening, three pictures in which a hand before the lens hides all, and another turn with a smile. */
const SCRIPT: Omit<MovedFace, 'landmarks'>[] = [
  ...Array.from({ length: 9 }, () => ({ yaw: 0, weights: {} })),
  ...Array.from({ length: 6 }, (_, i) => ({ yaw: 0.06 * i, weights: { jawOpen: 0.12 * i } })),
  ...Array.from({ length: 3 }, () => ({ yaw: 0.3, weights: {}, covered: true })),
  ...Array.from({ length: 4 }, (_, i) => ({
    yaw: -0.3 + 0.04 * i,
    weights: { mouthSmileLeft: 0.8, mouthSmileRight: 0.8 },
  })),
]

/** Renders a clip of the base model's face as numbered PNG files, with a sensor's noise. */
export async function writeMovingFace(folder: string): Promise<MovedFace[]> {
  await mkdir(folder, { recursive: true })
  const model = await loadBaseModel()
  const names = model.shape.expressionNames!
  const neutral = neutralParameters(model.layout)
  const [rest] = await readParameters(neutral)
  const random = createRandom(5)
  const identity = rest.identity.map((_, k) => (k < 12 ? 0.8 * Math.sin(3 * k + 1) : 0))
  const made: MovedFace[] = []
  for (const [i, { yaw, weights, covered = false }] of SCRIPT.entries()) {
    const expression = rest.expression.map((_, k) => weights[names[k]] ?? 0)
    const parameters = createParameters([
      {
        ...rest,
        identity,
        expression,
        pose: { rotation: [0.05, yaw, 0.02], translation: [0, 0, 0], scale: [SCALE] },
      },
    ])
    const rendering = renderFace(model, parameters, { width: CLIP_SIZE, height: CLIP_SIZE })
    const [image, mask, landmarks] = await Promise.all(
      [rendering.image, rendering.mask, rendering.landmarks].map((tensor) => tensor.data()),
    )
    const pixels = new Uint8Array(CLIP_SIZE * CLIP_SIZE * 3)
    for (let p = 0; p < CLIP_SIZE * CLIP_SIZE; p++) {
      for (let c = 0; c < 3; c++) {
        const wall = 0.42 + 0.1 * (p / CLIP_SIZE / CLIP_SIZE) + 0.03 * c
        const seen = covered ? 0.5 : mask[p] * image[3 * p + c] + (1 - mask[p]) * wall
        pixels[3 * p + c] = Math.min(255, Math.max(0, Math.round(255 * (seen + random.normal(0, 0.012)))))
      }
    }
    await writePng(ndarray(pixels, [CLIP_SIZE, CLIP_SIZE, 3]), join(folder, `picture-${i + 1}.png`))
    made.push({ yaw, weights, ...(covered && { covered }), landmarks: Float32Array.from(landmarks) })
  }
  return made
}
