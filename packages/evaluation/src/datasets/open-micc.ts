import { ValueError } from '@facekit/core'
import type { DatasetOptions, EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { evenly, filesIn, foldersIn, isThere, MESH, PICTURE, stemOf } from './folder-entries.js'
import { readDataText } from './read-data-file.js'
import { readSpaceLandmarks } from './read-points.js'
import { readSurface } from './read-surface.js'

/** Clips by words in the names of their folders: `Indoor-Cooperative`, `PTZ-Indoor`, `PTZ-Outdoor`, `Cooperative`, ... */
const CLIPS = [
  ['cooperative', (name: string) => /(^|[^n])coop/i.test(name) && !/un-?coop|non-?coop/i.test(name)],
  ['indoor', (name: string) => /indoor/i.test(name) && !/(^|[^n])coop/i.test(name)],
  ['outdoor', (name: string) => /outdoor/i.test(name)],
] as const

/** MICC Florence: `subject_01/Model/frontal1/obj/*.obj` (mm), and the frames of each clip as pictures in `subject_01/<clip>` or
 * `subject_01/Videos/<clip>`; videos have to be cut into frames first. A file `frames.txt` in a clip names the frames that count; otherwise they are evenly
 * spaced. Landmarks beside the scan (`.pp`, `.txt`, `.json`) serve as the start of the alignment. */
export async function openMicc(
  root: string,
  { picturesPerCase = 15 }: DatasetOptions,
): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const problems: string[] = []
  const cases: EvaluationCase[] = []
  const subjects = (await foldersIn(root)).filter((name) => /^subject_?\d+$/i.test(name))
  if (subjects.length === 0)
    throw new ValueError(`${root}: has no folders subject_01, subject_02, ...; expected MICC Florence`)
  for (const subject of subjects) {
    const scan = await scanOf(root, subject)
    if (scan === undefined) {
      problems.push(`${subject}: has no scan in Model/frontal1/obj`)
      continue
    }
    const places = ['', 'Videos', 'videos', 'Images'].map((place) => join(subject, place))
    for (const [group, fits] of CLIPS) {
      let clip: string | undefined
      for (const place of places) {
        const name = (await foldersIn(join(root, place))).find(fits)
        if (name !== undefined) clip ??= join(place, name)
      }
      const frames = clip === undefined ? [] : await framesOf(root, clip, picturesPerCase)
      if (frames.length === 0) {
        problems.push(
          clip === undefined
            ? `${subject}: has no clip ${group}`
            : `${clip}: holds no frames; cut the video into pictures`,
        )
        continue
      }
      cases.push({
        id: `${subject}/${group}`,
        group,
        pictures: frames,
        read: async () => {
          const marks = await landmarksBeside(join(root, scan))
          return { scan: await readSurface(join(root, scan)), ...(marks && { landmarks: marks }) }
        },
      })
    }
  }
  return { name: 'micc', root, protocol: 'surface', groups: CLIPS.map(([group]) => group), cases, problems }
}

async function scanOf(root: string, subject: string): Promise<string | undefined> {
  const { join } = await import('node:path')
  for (const place of ['Model/frontal1/obj', 'Model/frontal2/obj']) {
    const [name] = await filesIn(join(root, subject, place), MESH)
    if (name !== undefined) return join(subject, place, name)
  }
  return undefined
}

async function framesOf(root: string, clip: string, most: number): Promise<string[]> {
  const { join } = await import('node:path')
  const list = await readDataText(join(root, clip, 'frames.txt'))
  const names = list
    ?.split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return (names ?? evenly(await filesIn(join(root, clip), PICTURE), most)).map((name) => join(clip, name))
}

/** Landmarks in a file of the mesh's name, where there is one. */
export async function landmarksBeside(mesh: string, millimetres = 1) {
  for (const ending of ['.pp', '.landmarks.json', '.landmarks.txt', '.npy', '.txt', '.json']) {
    const path = stemOf(mesh) + ending
    if (await isThere(path)) return readSpaceLandmarks(path, millimetres)
  }
  return undefined
}
