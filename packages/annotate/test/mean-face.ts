import ndarray from 'ndarray'
import { meanLandmarks, type Picture, type Points } from '@facekit/annotate'

/** 68 landmarks of a mean face in a crop of 224 pixels. */
export const meanFace = (): Points => meanLandmarks()

/** Paints a picture from a function of the pixel's centre. */
export function paint(
  width: number,
  height: number,
  color: (x: number, y: number) => readonly number[],
): Picture {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set(color(x + 0.5, y + 0.5).map(Math.round), (y * width + x) * 3)
    }
  }
  return ndarray(data, [height, width, 3])
}
