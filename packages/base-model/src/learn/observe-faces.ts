import { findDenseLandmarks, type LabelledFace } from './dense-landmarks.js'
import type { FaceMeshNetwork } from './face-mesh-network.js'
import { subdivide, type LearningTemplate } from './learning-template.js'

/** What the learner keeps of a photograph. */
export interface FaceObservation {
  /** `[468 * 3]` x, y in pixels, y down; z away from the camera. */
  points: Float32Array
  /** `[skinEnd * 3]` encoded colour of the photograph at each skin vertex, 0..255. */
  colors: Uint8Array
  /** How sure the network is that this is a face, 0..1. */
  score: number
  /** `[136]` the 68 landmarks that the photograph came with, pixels, y down. */
  labels: Float32Array
}

/** Width of the patch over which a vertex's colour is averaged, mm: about the distance between vertices. */
const PATCH = 1.6
const EYE_DISTANCE = 90

/** Finds the dense landmarks of some photographs and takes the colours under the mesh. */
export async function observeFaces(
  network: FaceMeshNetwork,
  template: LearningTemplate,
  faces: readonly LabelledFace[],
): Promise<FaceObservation[]> {
  const found = await findDenseLandmarks(network, faces)
  return found.map(({ points, score }, i) => ({
    points,
    score,
    labels: Float32Array.from({ length: 136 }, (_, l) => faces[i].landmarks.get(l >> 1, l & 1)),
    colors: sampleColors(template, faces[i].picture, points),
  }))
}

function sampleColors(
  template: LearningTemplate,
  picture: LabelledFace['picture'],
  points: Float32Array,
): Uint8Array {
  const [height, width] = picture.shape
  const { data } = picture
  const fine = subdivide(template, points)
  const eyes = [0, 1, 2].map((c) => points[263 * 3 + c] - points[33 * 3 + c])
  const patch = (PATCH * Math.hypot(...eyes)) / EYE_DISTANCE
  const samples = Math.min(8, Math.max(1, Math.ceil(patch)))
  const colors = new Uint8Array(template.skinEnd * 3)
  const clamp = (value: number, limit: number) => Math.min(limit, Math.max(0, value))
  const sum = [0, 0, 0]
  for (let i = 0; i < template.skinEnd; i++) {
    sum.fill(0)
    for (let s = 0; s < samples * samples; s++) {
      const dx = (((s % samples) + 0.5) / samples - 0.5) * patch
      const dy = ((Math.floor(s / samples) + 0.5) / samples - 0.5) * patch
      const x = clamp(fine[i * 3] + dx - 0.5, width - 1)
      const y = clamp(fine[i * 3 + 1] + dy - 0.5, height - 1)
      const [x0, y0] = [Math.floor(x), Math.floor(y)]
      const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)]
      const [fx, fy] = [x - x0, y - y0]
      for (let c = 0; c < 3; c++) {
        const top = data[(y0 * width + x0) * 3 + c] * (1 - fx) + data[(y0 * width + x1) * 3 + c] * fx
        const bottom = data[(y1 * width + x0) * 3 + c] * (1 - fx) + data[(y1 * width + x1) * 3 + c] * fx
        sum[c] += top * (1 - fy) + bottom * fy
      }
    }
    for (let c = 0; c < 3; c++) colors[i * 3 + c] = Math.round(sum[c] / (samples * samples))
  }
  return colors
}
