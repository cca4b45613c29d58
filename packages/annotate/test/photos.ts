import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ndarray from 'ndarray'
import { readPicture, type Picture } from '@facekit/annotate'

const root = new URL('../../../../shared/data/photos/', import.meta.url).pathname

/** Whether the test photographs are there. */
export const havePhotos = existsSync(join(root, 'ffhq-parsing/landmarks.json'))

/** Path of a test photograph. */
export const photo = (name: string): string => join(root, name)

/** The landmarks that go with the photographs of a folder. */
export const photoLandmarks = (folder: string): Record<string, [number, number][]> =>
  JSON.parse(readFileSync(join(root, folder, 'landmarks.json'), 'utf8'))

export const readPhoto = (name: string): Promise<Picture> => readPicture(photo(name))

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

/** Every pixel repeated `factor` times in both directions. */
export function enlarge(picture: Picture, factor: number): Picture {
  const [height, width] = picture.shape
  const all = ndarray(new Uint8Array(width * height * 3 * factor * factor), [
    height * factor,
    width * factor,
    3,
  ])
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      for (let c = 0; c < 3; c++)
        all.set(y, x, c, picture.get(Math.floor(y / factor), Math.floor(x / factor), c))
    }
  }
  return all
}
