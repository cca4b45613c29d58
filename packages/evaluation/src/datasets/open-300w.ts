import { ValueError } from '@facekit/core'
import type { EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, foldersIn, PICTURE, stemOf } from './folder-entries.js'
import { readPictureLandmarks } from './read-points.js'

/** Parts by their folders: common and challenging, and the two of the later test set. AFW and the training folders are no test. */
const PARTS = [
  ['common', /^(lfpw|helen)[/\\]testset$/i],
  ['challenging', /^ibug$/i],
  ['indoor', /(^|[/\\])01_indoor$/i],
  ['outdoor', /(^|[/\\])02_outdoor$/i],
] as const

/** 300-W: pictures with `.pts` files beside them in `lfpw/testset`, `helen/testset` (common), `ibug` (challenging), `01_Indoor`, `02_Outdoor`. */
export async function open300w(root: string): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const problems: string[] = []
  const cases: EvaluationCase[] = []
  for (const folder of await foldersBelow(root, 2)) {
    const group = PARTS.find(([, pattern]) => pattern.test(folder))?.[0]
    if (group === undefined) continue
    const points = new Set(await filesIn(join(root, folder), /\.pts$/i))
    for (const name of await filesIn(join(root, folder), PICTURE)) {
      const label = `${stemOf(name)}.pts`
      if (!points.has(label)) {
        problems.push(`${join(folder, name)}: has no .pts file`)
        continue
      }
      cases.push({
        id: join(folder, stemOf(name)),
        group,
        pictures: [join(folder, name)],
        read: async () => ({ pictureLandmarks: await readPictureLandmarks(join(root, folder, label)) }),
      })
    }
  }
  if (cases.length === 0)
    throw new ValueError(
      `${root}: has no pictures with .pts files in lfpw/testset, helen/testset, ibug, 01_Indoor or 02_Outdoor; expected 300-W`,
    )
  const groups = PARTS.map(([group]) => group).filter((group) => cases.some((each) => each.group === group))
  return { name: '300w', root, protocol: 'picture', groups, cases, problems }
}

async function foldersBelow(root: string, depth: number, folder = ''): Promise<string[]> {
  const { join } = await import('node:path')
  if (depth === 0) return []
  const names = (await foldersIn(join(root, folder))).map((name) => join(folder, name))
  const inside = await Promise.all(names.map((name) => foldersBelow(root, depth - 1, name)))
  return [...names, ...inside.flat()]
}
