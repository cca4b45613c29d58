import type { Picture } from '@facekit/annotate'
import { assertInteger, FacekitError, writeFileAtomic } from '@facekit/core'
import ndarray from 'ndarray'
import { drawLabels } from './draw-thumbnail.js'
import { encodeJpeg } from '../samples/image-codec.js'
import type { FaceDataset } from '../samples/open-dataset.js'
import { sheetPage, type SheetFace } from './sheet-page.js'
import type { SkippedPicture } from '../samples/shard-index.js'

/** Options of `writeContactSheet`. */
export interface ContactSheetOptions {
  /** Width and height of a thumbnail in pixels. Default 128. */
  size?: number
  /** Most faces; of more, half are those that seem worst, half are spread over all. Default 5000. */
  limit?: number
  /** Headline. Default `'Labels'`. */
  title?: string
  /** Pictures without a face, to be listed. */
  skipped?: readonly SkippedPicture[]
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/** Faces in a row and in a column of one picture of thumbnails. */
const COLUMNS = 10

/** Writes a page to look at labels by eye: thumbnails with landmarks and masks drawn, page by page, sorted and filtered by how doubtful
 * they are. Opens from disk. Node only.
 *
 * @param folder - made if it is not there (`label-sheet` in a folder of labels is never taken for pictures to label); gets `index.html` and pictures of 100 thumbnails
 * @returns how many faces are on it, and which samples could not be read
 * @throws {ValueError} when an option is out of range
 * @example
 * await writeContactSheet(await openDataset('my-faces'), 'my-faces/label-sheet')
 */
export async function writeContactSheet(
  dataset: FaceDataset,
  folder: string,
  options: ContactSheetOptions = {},
): Promise<{ faces: number; unreadable: string[] }> {
  const { size = 128, limit = 5000, title = 'Labels', skipped = [], signal, onProgress } = options
  assertInteger('writeContactSheet: size', size, 16, 1024)
  assertInteger('writeContactSheet: limit', limit, 1)
  const { mkdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  await mkdir(folder, { recursive: true })
  const chosen = chooseFaces(dataset, limit)
  const faces: SheetFace[] = []
  const unreadable: string[] = []
  for (let start = 0; start < chosen.length; start += COLUMNS * COLUMNS) {
    signal?.throwIfAborted()
    const group = chosen.slice(start, start + COLUMNS * COLUMNS)
    const [drawn, plain] = [createSprite(group.length, size), createSprite(group.length, size)]
    for (const [i, index] of group.entries()) {
      const { key, identity = '', picture = '' } = dataset.entries[index]
      try {
        const sample = await dataset.read(index)
        paste(plain, await shrink(sample.image, size), i, size)
        paste(drawn, await shrink(drawLabels(sample), size), i, size)
        faces.push({ key, identity, picture, quality: sample.quality ?? {} })
      } catch (error) {
        if (!(error instanceof FacekitError)) throw error
        unreadable.push(error.message)
        faces.push({ key, identity, picture, quality: { readable: 0 } })
      }
    }
    const number = String(start / (COLUMNS * COLUMNS)).padStart(4, '0')
    await writeFileAtomic(`${folder}/labels-${number}.jpg`, await encodeJpeg(drawn, 80))
    await writeFileAtomic(`${folder}/plain-${number}.jpg`, await encodeJpeg(plain, 80))
    onProgress?.(faces.length, chosen.length)
  }
  const page = await sheetPage({
    title,
    size,
    columns: COLUMNS,
    faces,
    of: dataset.length,
    skipped,
    unreadable,
  })
  await writeFileAtomic(`${folder}/index.html`, page)
  return { faces: faces.length, unreadable }
}

/** Numbers of the faces on the sheet, in their order on disk. */
function chooseFaces({ entries }: FaceDataset, limit: number): number[] {
  const all = entries.map((_, i) => i)
  if (all.length <= limit) return all
  const doubtful = all.toSorted((a, b) => (entries[a].quality ?? 1) - (entries[b].quality ?? 1))
  const chosen = new Set(doubtful.slice(0, Math.ceil(limit / 2)))
  const rest = all.filter((i) => !chosen.has(i))
  const more = limit - chosen.size
  for (let i = 0; i < more; i++) chosen.add(rest[Math.floor((i * rest.length) / more)])
  return [...chosen].sort((a, b) => a - b)
}

function createSprite(count: number, size: number): Picture {
  const [width, height] = [COLUMNS * size, Math.ceil(count / COLUMNS) * size]
  return ndarray(new Uint8Array(width * height * 3).fill(60), [height, width, 3])
}

async function shrink(picture: Picture, size: number): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp')
  const [height, width] = picture.shape
  return sharp(picture.data, { raw: { width, height, channels: 3 } })
    .resize(size, size)
    .raw()
    .toBuffer()
}

function paste(sprite: Picture, pixels: Uint8Array, place: number, size: number): void {
  const width = sprite.shape[1]
  const [left, top] = [(place % COLUMNS) * size, Math.floor(place / COLUMNS) * size]
  for (let y = 0; y < size; y++) {
    sprite.data.set(pixels.subarray(y * size * 3, (y + 1) * size * 3), ((top + y) * width + left) * 3)
  }
}
