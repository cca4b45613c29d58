import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import ndarray from 'ndarray'
import { readPicture, resample, type Picture, type Points } from '@facekit/annotate'
import { demoLandmarks } from './demo-landmarks.js'

const demo = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
)

/** Path of a demonstration photograph of face-api, 1 to 6; each shows three to five people. */
export const photo = (number: number): string => join(demo, `sample${number}.jpg`)

/** A face of a demonstration photograph in a picture of 256 x 256 pixels. */
export interface DemoFace {
  picture: Picture
  /** `[68, 2]` pixels; found by the networks, and looked at. */
  landmarks: Points
}

/** Photograph, and the middle of the face in it. */
const FACES: [number: number, x: number, y: number][] = [
  [1, 502, 464],
  [3, 685, 455],
  [4, 755, 171],
]

const loaded = new Map<number, Promise<Picture>>()

/** A demonstration photograph, decoded once. */
export function demoPhoto(number: number): Promise<Picture> {
  const known = loaded.get(number)
  if (known) return known
  const picture = readPicture(photo(number))
  loaded.set(number, picture)
  return picture
}

/** Three people: turned to the side, frontal, with the head inclined. */
export async function demoFaces(): Promise<DemoFace[]> {
  return Promise.all([0, 1, 2].map(demoFace))
}

/** One of the three, 0 to 2. */
export async function demoFace(index: number): Promise<DemoFace> {
  return {
    picture: await demoCut(...FACES[index]),
    landmarks: ndarray(Float32Array.from(demoLandmarks[index]), [68, 2]),
  }
}

/** 480 x 480 pixels of a demonstration photograph around a place, in 256 x 256. */
export async function demoCut(number: number, x: number, y: number): Promise<Picture> {
  const { data, shape } = await demoPhoto(number)
  const scale = 256 / 480
  const translation: [number, number] = [128 - x * scale, 128 - y * scale]
  const pixels = resample(
    { data, height: shape[0], width: shape[1], channels: 3 },
    { scale, rotation: 0, translation },
    { x: 0, y: 0, width: 256, height: 256 },
  )
  return ndarray(Uint8Array.from(pixels.data, Math.round), [256, 256, 3])
}

/** Mean distance of landmarks over the square root of the area of the second ones' box. */
export function landmarkError(points: Points, truth: Points): number {
  const axis = (k: number) => Array.from({ length: 68 }, (_, i) => truth.get(i, k))
  const [width, height] = [0, 1].map((k) => Math.max(...axis(k)) - Math.min(...axis(k)))
  let sum = 0
  for (let i = 0; i < 68; i++) {
    sum += Math.hypot(points.get(i, 0) - truth.get(i, 0), points.get(i, 1) - truth.get(i, 1)) / 68
  }
  return sum / Math.sqrt(width * height)
}

/** Width of the landmarks' box. */
export function landmarkWidth(points: Points): number {
  const xs = Array.from({ length: 68 }, (_, i) => points.get(i, 0))
  return Math.max(...xs) - Math.min(...xs)
}

/** A picture turned by quarter turns, clockwise. */
export function turned(picture: Picture, quarterTurns: number): Picture {
  let result = picture
  for (let turn = 0; turn < quarterTurns; turn++) {
    const [height, width] = result.shape
    const next = ndarray(new Uint8Array(width * height * 3), [width, height, 3])
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++) next.set(x, height - 1 - y, c, result.get(y, x, c))
      }
    }
    result = next
  }
  return result
}

/** Points of a picture in the picture turned by quarter turns, clockwise. */
export function turnedPoints(
  points: Points,
  [height, width]: readonly number[],
  quarterTurns: number,
): Points {
  const result = ndarray(new Float32Array(points.data), [68, 2])
  let size = [height, width]
  for (let turn = 0; turn < quarterTurns; turn++) {
    for (let i = 0; i < 68; i++) {
      const [x, y] = [result.get(i, 0), result.get(i, 1)]
      result.set(i, 0, size[0] - y)
      result.set(i, 1, x)
    }
    size = [size[1], size[0]]
  }
  return result
}

/** A black picture with others pasted at `[x, y]`; what lies outside is cut off. */
export function paste(width: number, height: number, parts: [Picture, number, number][]): Picture {
  const all = ndarray(new Uint8Array(width * height * 3), [height, width, 3])
  for (const [part, left, top] of parts) {
    const [rows, columns] = part.shape
    for (let y = Math.max(0, -top); y < Math.min(rows, height - top); y++) {
      for (let x = Math.max(0, -left); x < Math.min(columns, width - left); x++) {
        for (let c = 0; c < 3; c++) all.set(y + top, x + left, c, part.get(y, x, c))
      }
    }
  }
  return all
}

/** Scaled by a factor, without aliasing. */
export function scaled({ data, shape: [height, width] }: Picture, factor: number): Picture {
  const size = { width: Math.round(width * factor), height: Math.round(height * factor) }
  const pixels = resample(
    { data, height, width, channels: 3 },
    { scale: factor, rotation: 0, translation: [0, 0] },
    { x: 0, y: 0, ...size },
  )
  return ndarray(Uint8Array.from(pixels.data, Math.round), [size.height, size.width, 3])
}
