import { AnnotationError, ImageError, ValueError } from '@facekit/core'
import { type Box, cropFace, detectFaces, findLandmarks, readPicture } from '@facekit/annotate'
import type { PersonPictures } from './triplet-batches.js'

/** Options of `openIdentities`. */
export interface OpenIdentitiesOptions {
  /** Width and height S of the aligned crops. Default 96. */
  size?: number
  /** Says which pictures of a person are nearly the same, such as frames of one clip: their files give the same text. Default: none. */
  group?: (file: string) => string
  /** Called for each picture that is skipped, with the reason. */
  onReject?: (file: string, reason: string) => void
  /** Is told how far it is. */
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

const PICTURE = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i

/** Opens a folder with a folder of photographs for each person (Node only): the largest face of each photograph, aligned, kept in memory.
 *
 * A folder of people who are to be told apart: MS-Celeb-1M, VGGFace2, Labeled Faces in the Wild and the like are laid out so. Needs a backend
 * (detection and landmarks run on it). People with fewer than two faces are skipped.
 *
 * @returns people by name
 * @throws {ValueError} when the folder cannot be read, or nobody is left
 * @example
 * const people = await openIdentities('photos')
 * const batches = createTripletBatches(people, { people: 24 })
 */
export async function openIdentities(
  folder: string,
  options: OpenIdentitiesOptions = {},
): Promise<PersonPictures[]> {
  const { size = 96, onReject, onProgress, signal } = options
  const files = await listPictures(folder)
  const total = files.reduce((sum, { pictures }) => sum + pictures.length, 0)
  const people: PersonPictures[] = []
  let done = 0
  for (const { name, pictures } of files) {
    const crops: Uint8Array[] = []
    const groups: string[] = []
    for (const file of pictures) {
      signal?.throwIfAborted()
      const crop = await readCrop(file, size)
      if (typeof crop === 'string') onReject?.(file, crop)
      else {
        crops.push(crop)
        groups.push(options.group?.(file) ?? file)
      }
      onProgress?.(++done, total)
    }
    if (crops.length < 2) onReject?.(name, `${crops.length} pictures with a face, expected at least two`)
    else {
      people.push({
        name,
        pictures: crops.map((crop) => () => crop),
        groups: groups.map((group) => groups.indexOf(group)),
      })
    }
  }
  if (people.length === 0) {
    throw new ValueError(
      `openIdentities: ${folder}: nobody with two pictures; expected a folder for each person`,
    )
  }
  return people
}

async function listPictures(folder: string): Promise<{ name: string; pictures: string[] }[]> {
  const { readdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ValueError(
      `openIdentities: ${folder} is no folder that can be read, expected one with a folder for each person`,
      { cause },
    )
  })
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  return Promise.all(
    names
      .map(({ name }) => name)
      .sort()
      .map(async (name) => ({
        name,
        pictures: (await readdir(`${folder}/${name}`))
          .filter((file) => PICTURE.test(file))
          .sort()
          .map((file) => `${folder}/${name}/${file}`),
      })),
  )
}

/** The largest face, `[size * size * 3]`, or why there is none. */
async function readCrop(file: string, size: number): Promise<Uint8Array | string> {
  try {
    const picture = await readPicture(file)
    const [box] = (await detectFaces(picture)).map((face) => face.box).sort((a, b) => area(b) - area(a))
    if (!box) return 'no face is found'
    const { image } = cropFace(picture, await findLandmarks(picture, box), { size })
    return Uint8Array.from(image.data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))
  } catch (error) {
    if (error instanceof ImageError || error instanceof AnnotationError) return error.message
    throw error
  }
}

const area = ({ width, height }: Box) => width * height
