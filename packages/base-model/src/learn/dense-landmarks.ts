import * as tf from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { FACE_MESH_INPUT, FACE_MESH_POINTS, type FaceMeshNetwork } from './face-mesh-network.js'

/** A face in a photograph, before its dense landmarks are known. */
export interface LabelledFace {
  /** `[H, W, 3]` sRGB bytes, upright. */
  picture: NdArray<Uint8Array>
  /** `[68, 2]` pixels, pixel centres at +0.5; iBUG's order. */
  landmarks: NdArray<Float32Array>
}

/** 468 points of a face. */
export interface DenseLandmarks {
  /** `[468 * 3]` x, y in pixels of the photograph, y down; z in the same unit, away from the camera. */
  points: Float32Array
  /** How sure the network is that this is a face, 0..1. */
  score: number
}

/** A square of the photograph, turned so that the eyes are level. */
interface Square {
  centerX: number
  centerY: number
  side: number
  angle: number
}

/** Side of the square around a face's points, in lengths of the points' box. */
const MARGIN = 1.5

/** The square around points: `[P * stride]`, eyes level by the two outer corners. */
function squareAround(points: ArrayLike<number>, stride: number, corners: readonly [number, number]): Square {
  const [right, left] = corners.map((i) => [points[i * stride], points[i * stride + 1]])
  const angle = Math.atan2(left[1] - right[1], left[0] - right[0])
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const low = [Infinity, Infinity]
  const high = [-Infinity, -Infinity]
  for (let i = 0; i + stride <= points.length; i += stride) {
    const turned = [points[i] * cos + points[i + 1] * sin, points[i + 1] * cos - points[i] * sin]
    for (const c of [0, 1]) {
      low[c] = Math.min(low[c], turned[c])
      high[c] = Math.max(high[c], turned[c])
    }
  }
  const [x, y] = [0, 1].map((c) => (low[c] + high[c]) / 2)
  return {
    centerX: x * cos - y * sin,
    centerY: x * sin + y * cos,
    side: MARGIN * Math.max(high[0] - low[0], high[1] - low[1]),
    angle,
  }
}

/** Draws a square of a photograph at the network's size, 0..1; border pixels are repeated. */
function drawSquare(
  picture: NdArray<Uint8Array>,
  square: Square,
  target: Float32Array,
  offset: number,
): void {
  const [height, width] = picture.shape
  const { data } = picture
  const step = square.side / FACE_MESH_INPUT
  const [cos, sin] = [Math.cos(square.angle) * step, Math.sin(square.angle) * step]
  // Several samples a pixel where the photograph is finer than the network's input.
  const samples = Math.min(8, Math.max(1, Math.ceil(step)))
  const share = 1 / (255 * samples * samples)
  const clamp = (value: number, limit: number) => Math.min(limit, Math.max(0, value))
  for (let row = 0; row < FACE_MESH_INPUT; row++) {
    for (let column = 0; column < FACE_MESH_INPUT; column++) {
      const to = offset + (row * FACE_MESH_INPUT + column) * 3
      for (let s = 0; s < samples * samples; s++) {
        const u = column + ((s % samples) + 0.5) / samples - FACE_MESH_INPUT / 2
        const v = row + (Math.floor(s / samples) + 0.5) / samples - FACE_MESH_INPUT / 2
        const x = clamp(square.centerX + u * cos - v * sin - 0.5, width - 1)
        const y = clamp(square.centerY + u * sin + v * cos - 0.5, height - 1)
        const [x0, y0] = [Math.floor(x), Math.floor(y)]
        const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)]
        const [fx, fy] = [x - x0, y - y0]
        for (let c = 0; c < 3; c++) {
          const top = data[(y0 * width + x0) * 3 + c] * (1 - fx) + data[(y0 * width + x1) * 3 + c] * fx
          const bottom = data[(y1 * width + x0) * 3 + c] * (1 - fx) + data[(y1 * width + x1) * 3 + c] * fx
          target[to + c] += share * (top * (1 - fy) + bottom * fy)
        }
      }
    }
  }
}

async function pass(
  network: FaceMeshNetwork,
  faces: readonly LabelledFace[],
  squares: readonly Square[],
): Promise<DenseLandmarks[]> {
  const size = FACE_MESH_INPUT * FACE_MESH_INPUT * 3
  const pixels = new Float32Array(faces.length * size)
  faces.forEach(({ picture }, i) => drawSquare(picture, squares[i], pixels, i * size))
  const input = tf.tensor4d(pixels, [faces.length, FACE_MESH_INPUT, FACE_MESH_INPUT, 3])
  try {
    const { points, scores } = await network.predict(input)
    return squares.map((square, i) => {
      const step = square.side / FACE_MESH_INPUT
      const [cos, sin] = [Math.cos(square.angle) * step, Math.sin(square.angle) * step]
      const placed = new Float32Array(FACE_MESH_POINTS * 3)
      for (let p = 0; p < FACE_MESH_POINTS; p++) {
        const at = (i * FACE_MESH_POINTS + p) * 3
        const [u, v] = [points[at] - FACE_MESH_INPUT / 2, points[at + 1] - FACE_MESH_INPUT / 2]
        placed[p * 3] = square.centerX + u * cos - v * sin
        placed[p * 3 + 1] = square.centerY + u * sin + v * cos
        placed[p * 3 + 2] = points[at + 2] * step
      }
      return { points: placed, score: scores[i] }
    })
  } finally {
    input.dispose()
  }
}

/** Finds the dense landmarks of faces whose 68 landmarks are roughly known: two passes of the network, the second in the
 * square around the points of the first. */
export async function findDenseLandmarks(
  network: FaceMeshNetwork,
  faces: readonly LabelledFace[],
): Promise<DenseLandmarks[]> {
  if (faces.length === 0) return []
  const around = faces.map(({ landmarks }) => {
    const flat = Float64Array.from({ length: 136 }, (_, i) => landmarks.get(i >> 1, i & 1))
    return squareAround(flat, 2, [36, 45])
  })
  const first = await pass(network, faces, around)
  return pass(
    network,
    faces,
    first.map(({ points }) => squareAround(points, 3, [33, 263])),
  )
}
