import { assertInteger, faceLabels, ImageError, ValueError } from '@facekit/core'
import { readPicture, resample } from '@facekit/annotate'

/** A picture of CelebAMask-HQ with its labels. */
export interface CelebaMaskSample {
  /** Number of the picture. */
  index: number
  /** `[S * S * 3]` sRGB bytes, row by row. */
  image: Uint8Array
  /** `[S * S]` labels 0..18, row by row. */
  labels: Uint8Array
}

/** CelebAMask-HQ on disk. */
export interface CelebaMaskFolder {
  /** Numbers of the pictures, ascending. */
  readonly indices: readonly number[]
  /** Reads one picture; its parts are laid over each other in the order of the labels, as the data set's own script does.
   *
   * @param index - one of `indices`
   * @param size - width and height S; the picture is averaged or interpolated, labels are those of the pixels' centres
   * @throws {ImageError} when a file cannot be read
   */
  read(index: number, size: number): Promise<CelebaMaskSample>
}

/** Pictures whose masks lie in one folder. */
const PER_FOLDER = 2000

/** Opens the folder of CelebAMask-HQ (Lee et al. 2020) as it is distributed: `CelebA-HQ-img/<n>.jpg` and
 * `CelebAMask-HQ-mask-anno/<k>/<nnnnn>_<part>.png`, k the n / 2000 rounded down. In Node only.
 *
 * @param path - the folder that holds both
 * @throws {ImageError} when there are no such folders, or no pictures in them
 * @example
 * const data = await openCelebaMaskFolder('CelebAMask-HQ')
 * const { image, labels } = await data.read(data.indices[0], 224)
 */
export async function openCelebaMaskFolder(path: string): Promise<CelebaMaskFolder> {
  const { readdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const list = async (folder: string) =>
    readdir(`${path}/${folder}`).catch((cause: unknown) => {
      throw new ImageError(
        `openCelebaMaskFolder: ${path}/${folder} cannot be read; give the folder that holds CelebA-HQ-img and CelebAMask-HQ-mask-anno`,
        { cause },
      )
    })
  const pictures = new Map<number, string>()
  for (const name of await list('CelebA-HQ-img')) {
    const match = /^(\d+)\.(jpg|jpeg|png)$/i.exec(name)
    if (match) pictures.set(Number(match[1]), name)
  }
  if (pictures.size === 0) {
    throw new ImageError(`openCelebaMaskFolder: no pictures <n>.jpg in ${path}/CelebA-HQ-img`)
  }
  const folders = new Set(await list('CelebAMask-HQ-mask-anno'))
  const masks = new Map<string, Promise<Set<string>>>()
  const masksIn = (folder: string) => {
    const known = masks.get(folder)
    if (known) return known
    const names = folders.has(folder)
      ? list(`CelebAMask-HQ-mask-anno/${folder}`).then((found) => new Set(found))
      : Promise.resolve(new Set<string>())
    masks.set(folder, names)
    return names
  }
  return {
    indices: [...pictures.keys()].sort((a, b) => a - b),
    async read(index, size) {
      assertInteger('CelebaMaskFolder.read: size', size, 1, 4096)
      const name = pictures.get(index)
      if (name === undefined) {
        throw new ValueError(`CelebaMaskFolder.read: there is no picture ${index}; take one of indices`)
      }
      const folder = String(Math.floor(index / PER_FOLDER))
      const present = await masksIn(folder)
      const labels = new Uint8Array(size * size)
      let parts = 0
      for (let label = 1; label < faceLabels.length; label++) {
        const file = `${String(index).padStart(5, '0')}_${faceLabels[label]}.png`
        if (!present.has(file)) continue
        parts++
        await layOver(labels, label, size, `${path}/CelebAMask-HQ-mask-anno/${folder}/${file}`)
      }
      if (parts === 0) {
        throw new ImageError(`CelebaMaskFolder.read: picture ${index} has no masks in ${path}`)
      }
      return { index, image: await readScaled(`${path}/CelebA-HQ-img/${name}`, size), labels }
    },
  }
}

async function layOver(labels: Uint8Array, label: number, size: number, file: string): Promise<void> {
  const mask = await readPicture(file)
  const [height, width] = mask.shape
  for (let y = 0; y < size; y++) {
    const row = Math.floor(((y + 0.5) * height) / size)
    for (let x = 0; x < size; x++) {
      if (mask.get(row, Math.floor(((x + 0.5) * width) / size), 0) > 127) labels[y * size + x] = label
    }
  }
}

async function readScaled(file: string, size: number): Promise<Uint8Array> {
  const { data, shape } = await readPicture(file)
  const [height, width] = shape
  if (height !== width) {
    throw new ImageError(`CelebaMaskFolder.read: ${file} is ${width} x ${height}, expected a square`)
  }
  const transform = { scale: size / width, rotation: 0, translation: [0, 0] as [number, number] }
  const source = { data, height, width, channels: 3 }
  const scaled = resample(source, transform, { x: 0, y: 0, width: size, height: size })
  return Uint8Array.from(scaled.data, (value) => Math.round(value))
}
