import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readPicture } from '@facekit/annotate'
import ndarray from 'ndarray'
import type { LearningPerson } from '../src/index.js'

/** The frames of YouTube Faces with their 68 landmarks, person by person; see the README beside them. */
export async function readYoutubeFaces(folder: string): Promise<LearningPerson[]> {
  const labels = JSON.parse(await readFile(join(folder, 'landmarks.json'), 'utf8')) as Record<
    string,
    number[][]
  >
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return Promise.all(
    names.map(async (name) => {
      const files = (await readdir(join(folder, name))).filter((file) => file.endsWith('.jpg')).sort()
      const photographs = files.map(async (file) => {
        const path = join(folder, name, file)
        const { size } = await stat(path)
        return {
          key: `${file} ${size}`,
          clip: file[0],
          read: async () => ({
            picture: await readPicture(path),
            landmarks: ndarray(Float32Array.from(labels[`${name}/${file}`].flat()), [68, 2]),
          }),
        }
      })
      return { name, photographs: await Promise.all(photographs) }
    }),
  )
}
