import { ModelFormatError, ValueError } from '@facekit/core'
import type { CaseTruth, EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, foldersIn, MESH, PICTURE, stemOf } from './folder-entries.js'
import { readDataText } from './read-data-file.js'
import { readPoints, spaceLandmarks } from './read-points.js'
import { readSurface } from './read-surface.js'

const POINTS = /\.(pp|pts|npy|txt|json)$/i

/** A plain folder: `NAME.jpg` with `NAME.obj` or `.ply` (mm) and landmarks in `NAME.pp`, `.txt`, `.npy`, `.json` (in space) or `NAME.pts` (in the picture);
 * or a folder for each face with any pictures, one mesh and one file of landmarks, whose reconstructions are averaged. Faces in a folder of a
 * folder have that one's name as their column. A file `landmarks.json` in the folder, `{"<picture>": [[x, y] x 68]}` with pixels whose centres are whole
 * numbers, names all pictures by itself. */
export async function openFolder(root: string): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const problems: string[] = []
  const listed = await listedCases(root)
  if (listed) return { name: 'folder', root, protocol: 'surface', groups: ['all'], cases: listed, problems }
  const cases: EvaluationCase[] = [...(await flatCases(root, '', 'all', problems))]
  for (const folder of await foldersIn(root)) {
    const inside = await foldersIn(join(root, folder))
    const flat = await flatCases(root, folder, folder, problems)
    if (flat.length > 0) cases.push(...flat)
    else if (inside.length === 0) cases.push(...(await faceOf(root, folder, 'all', problems)))
    for (const face of inside) cases.push(...(await faceOf(root, join(folder, face), folder, problems)))
  }
  if (cases.length === 0)
    throw new ValueError(
      `${root}: has no photograph with a scan or landmarks of the same name; expected NAME.jpg, NAME.obj, NAME.txt${problems[0] ? ` (${problems[0]})` : ''}`,
    )
  const groups = [...new Set(cases.map(({ group }) => group))]
  return { name: 'folder', root, protocol: 'surface', groups, cases, problems }
}

/** Pictures of a `landmarks.json`, where there is one. */
async function listedCases(root: string): Promise<EvaluationCase[] | undefined> {
  const { join } = await import('node:path')
  const path = join(root, 'landmarks.json')
  const text = await readDataText(path)
  if (text === undefined) return undefined
  let list: Record<string, unknown>
  try {
    list = JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new ValueError(`${path}: no JSON, expected {"picture": [[x, y] x 68]}`, { cause })
  }
  if (typeof list !== 'object' || list === null || Array.isArray(list))
    throw new ValueError(`${path}: expected {"picture": [[x, y] x 68]}`)
  return Object.entries(list).map(([picture, points]) => ({
    id: stemOf(picture),
    group: 'all',
    pictures: [picture],
    read: async () => {
      const numbers = (Array.isArray(points) ? points.flat() : []).map(Number)
      if (numbers.length !== 136 || !numbers.every(Number.isFinite))
        throw new ModelFormatError(`${path}: "${picture}" has no 68 points of two finite numbers`)
      return { pictureLandmarks: Float64Array.from(numbers, (value) => value + 0.5) }
    },
  }))
}

/** Faces whose files share a name. */
async function flatCases(
  root: string,
  folder: string,
  group: string,
  problems: string[],
): Promise<EvaluationCase[]> {
  const { join } = await import('node:path')
  const [meshes, points] = [
    await filesIn(join(root, folder), MESH),
    await filesIn(join(root, folder), POINTS),
  ]
  const cases: EvaluationCase[] = []
  const pictures = await filesIn(join(root, folder), PICTURE)
  for (const picture of pictures) {
    const own = (names: string[]) =>
      names.filter((name) => stemOf(name).replace(/\.landmarks$/, '') === stemOf(picture))
    const files = [...own(meshes), ...own(points)].map((name) => join(folder, name))
    if (files.length > 0)
      cases.push(caseOf(root, join(folder, stemOf(picture)), group, [join(folder, picture)], files))
    else if (meshes.length > 0 && folder === '')
      problems.push(`${join(folder, picture)}: has no scan and no landmarks`)
  }
  for (const mesh of cases.length > 0 ? meshes : []) {
    if (!pictures.some((picture) => stemOf(picture) === stemOf(mesh)))
      problems.push(`${join(folder, mesh)}: has no photograph`)
  }
  return cases
}

/** A folder that is one face. */
async function faceOf(
  root: string,
  folder: string,
  group: string,
  problems: string[],
): Promise<EvaluationCase[]> {
  const { join } = await import('node:path')
  const inside = (pattern: RegExp) => filesIn(join(root, folder), pattern)
  const [pictures, meshes] = [await inside(PICTURE), await inside(MESH)]
  const points = await inside(POINTS)
  if (meshes.length !== 1 || pictures.length === 0) {
    if (pictures.length + meshes.length > 0)
      problems.push(
        `${folder}: has ${pictures.length} photographs and ${meshes.length} meshes, expected some and one`,
      )
    return []
  }
  const at = (name: string) => join(folder, name)
  return [caseOf(root, folder, group, pictures.map(at), [...meshes, ...points].map(at))]
}

function caseOf(
  root: string,
  id: string,
  group: string,
  pictures: string[],
  files: readonly string[],
): EvaluationCase {
  return {
    id,
    group,
    pictures,
    read: async () => {
      const { join } = await import('node:path')
      const truth: CaseTruth = {}
      for (const file of files) {
        const path = join(root, file)
        if (MESH.test(file)) {
          truth.scan = await readSurface(path)
          continue
        }
        const points = await readPoints(path)
        if (points.width === 3) truth.landmarks = spaceLandmarks(points, path)
        else if (points.values.length === 136) truth.pictureLandmarks = points.values
        else
          throw new ModelFormatError(
            `${path}: ${points.values.length / 2} points in the picture, expected 68`,
          )
      }
      return truth
    },
  }
}
