import { ModelFormatError, ValueError } from '@facekit/core'
import type { DatasetOptions, EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, isThere, MESH, stemOf } from './folder-entries.js'
import { readDataText } from './read-data-file.js'
import { readSpaceLandmarks } from './read-points.js'
import { readSurface } from './read-surface.js'

const GROUPS = ['multiview_neutral', 'multiview_expressions', 'multiview_occlusions', 'selfie']
const LISTS = ['imagepathsvalidation.txt', 'imagepathstest.txt']
const PICTURES = [
  'final_release_version/iphone_pictures',
  'NoW_Dataset/final_release_version/iphone_pictures',
  'iphone_pictures',
  'images',
  '',
]

/** NoW: `imagepathsvalidation.txt` (or `...test.txt`) with lines `<person>/<challenge>/<picture>`, pictures in
 * `final_release_version/iphone_pictures`, `scans/<person>/*.obj` in mm, and seven landmarks in `scans_lmks_onlypp/<person>/*.pp`. */
export async function openNow(root: string, { metric = false }: DatasetOptions): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  let list: string | undefined
  for (const name of LISTS) list ??= await readDataText(join(root, name))
  if (list === undefined) throw new ValueError(`${root}: has no ${LISTS.join(' or ')}; expected NoW`)
  const lines = list
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const problems: string[] = []
  const cases: EvaluationCase[] = []
  for (const line of lines) {
    const [person, challenge, name] = line.split('/').slice(-3)
    if (name === undefined || !GROUPS.includes(challenge)) {
      problems.push(`${line}: is no <person>/<challenge>/<picture>`)
      continue
    }
    const [scan] = await filesIn(join(root, 'scans', person), MESH)
    const [marks] = await filesIn(join(root, 'scans_lmks_onlypp', person), /\.pp$/i)
    if (scan === undefined || marks === undefined) {
      problems.push(
        `${person}: has no ${scan === undefined ? 'scan' : 'landmarks'} (those of the test part are not public)`,
      )
      continue
    }
    let folder: string | undefined
    for (const place of PICTURES)
      if (folder === undefined && (await isThere(join(root, place, person, challenge, name)))) folder = place
    if (folder === undefined)
      problems.push(`${line}: the picture is missing; only predictions in a folder can be scored`)
    cases.push({
      id: `${person}/${challenge}/${stemOf(name)}`,
      group: challenge,
      pictures: [join(folder ?? '', person, challenge, name)],
      read: async () => {
        const path = join(root, 'scans_lmks_onlypp', person, marks)
        const landmarks = await readSpaceLandmarks(path)
        if (landmarks.which.length !== 7)
          throw new ModelFormatError(`${path}: expected NoW's seven landmarks`)
        return { scan: await readSurface(join(root, 'scans', person, scan)), landmarks }
      },
    })
  }
  return { name: 'now', root, protocol: metric ? 'now-metric' : 'now', groups: GROUPS, cases, problems }
}
