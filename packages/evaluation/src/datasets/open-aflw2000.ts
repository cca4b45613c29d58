import { ModelFormatError, readMatFile, ValueError } from '@facekit/core'
import type { DatasetOptions, EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, PICTURE, stemOf } from './folder-entries.js'
import { readDataFile } from './read-data-file.js'

/** Columns by the turn of the head, degrees. */
const GROUPS = ['0 to 30', '30 to 60', '60 to 90'] as const

/** AFLW2000-3D: `image00002.jpg` with `image00002.mat` beside it: `pt3d_68`, points in pixels, and `Pose_Para`, whose seventh number is the pixels of a
 * micrometre, which gives the inner mouth's errors in millimetres. Columns are those of 3DDFA, by yaw; faces beyond 90 degrees, which its split
 * keeps in the last one, can be left out. */
export async function openAflw2000(
  root: string,
  { dropBeyond90 = false }: DatasetOptions,
): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const problems: string[] = []
  const cases: EvaluationCase[] = []
  const labels = new Set(await filesIn(root, /\.mat$/i))
  let beyond = 0
  for (const picture of await filesIn(root, PICTURE)) {
    const label = `${stemOf(picture)}.mat`
    if (!labels.has(label)) {
      problems.push(`${picture}: has no ${label}`)
      continue
    }
    const read = async () => parseFace(await readDataFile(join(root, label)), join(root, label))
    const face = await read().catch((error: Error) => {
      problems.push(error.message)
    })
    if (!face) continue
    if (Math.abs(face.yaw) > 90) {
      beyond++
      if (dropBeyond90) continue
    }
    cases.push({
      id: stemOf(picture),
      group: GROUPS[Math.abs(face.yaw) <= 30 ? 0 : Math.abs(face.yaw) <= 60 ? 1 : 2],
      pictures: [picture],
      read: async () => {
        const { yaw: _, ...truth } = await read()
        return truth
      },
    })
  }
  if (cases.length === 0)
    throw new ValueError(
      `${root}: has no picture with a .mat file that can be read; expected AFLW2000-3D${problems[0] ? ` (${problems[0]})` : ''}`,
    )
  if (beyond > 0)
    problems.push(
      `${beyond} faces are turned by more than 90 degrees: ${dropBeyond90 ? 'left out' : 'kept in the column 60 to 90, as 3DDFA does'}`,
    )
  return { name: 'aflw2000', root, protocol: 'mouth', groups: GROUPS, cases, problems }
}

/** Landmarks of a file; in space x to the right, y up, z towards the camera, mm. */
async function parseFace(bytes: Uint8Array, who: string) {
  const arrays = await readMatFile(bytes, who, {
    wanted: (name) => name === 'pt3d_68' || name === 'Pose_Para',
  })
  const [points, pose] = ['pt3d_68', 'Pose_Para'].map((name) => arrays.get(name))
  if (points?.shape[0] !== 3 || points.shape[1] !== 68 || !pose || pose.data.length < 7)
    throw new ModelFormatError(
      `${who}: has no pt3d_68 [3, 68] and Pose_Para [1, 7], expected a file of AFLW2000-3D`,
    )
  const pixelsPerMillimetre = 1000 * pose.data[6]
  if (!(pixelsPerMillimetre > 0) || !points.data.every(Number.isFinite))
    throw new ModelFormatError(`${who}: its landmarks or its scale are no numbers`)
  const picture = new Float64Array(136)
  const space = new Float64Array(204)
  for (let i = 0; i < 68; i++) {
    const [x, y, z] = points.data.slice(i * 3, i * 3 + 3)
    // Matlab counts pixels from 1.
    picture.set([x - 0.5, y - 0.5], i * 2)
    space.set(
      [x, -y, z].map((value) => value / pixelsPerMillimetre),
      i * 3,
    )
  }
  return {
    yaw: (pose.data[1] * 180) / Math.PI,
    pictureLandmarks: picture,
    landmarks: { which: Array.from({ length: 68 }, (_, i) => i), positions: space },
  }
}
