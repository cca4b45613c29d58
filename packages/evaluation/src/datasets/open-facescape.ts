import { ValueError } from '@facekit/core'
import type { DatasetOptions, EvaluationCase, EvaluationDataset } from './evaluation-dataset.js'
import { filesIn, foldersIn, isThere, PICTURE } from './folder-entries.js'
import { landmarksBeside } from './open-micc.js'
import { readDataText } from './read-data-file.js'
import { readSurface } from './read-surface.js'

/** The three expressions of the paper's Table 4, by their folders. */
const EXPRESSIONS = [
  ['neutral', 1, '1_neutral'],
  ['mouth stretch', 3, '3_mouth_stretch'],
  ['grin', 16, '16_grin'],
] as const

/** FaceScape, multi-view: `<images>/<person>/<expression>/<view>.jpg` with `params.json`, and `<meshes>/<person>/<expression>.ply`; the two may be one
 * folder, or two in the root under any name. Views that `params.json` calls invalid are passed over. Meshes are in a unit of their own: with
 * `Rt_scale_dict.json` (of FaceScape's toolkit) in the root they become millimetres. */
export async function openFacescape(
  root: string,
  { picturesPerCase = 40 }: DatasetOptions,
): Promise<EvaluationDataset> {
  const { join } = await import('node:path')
  const places = ['', ...(await foldersIn(root)).filter((name) => !/^\d+$/.test(name))]
  const images = await firstWhere(places, async (place) => hasPerson(join(root, place), 'folder'))
  const meshes = await firstWhere(places, async (place) => hasPerson(join(root, place), 'mesh'))
  if (images === undefined || meshes === undefined)
    throw new ValueError(
      `${root}: has no ${images === undefined ? 'pictures <person>/1_neutral/0.jpg' : 'meshes <person>/1_neutral.ply'}; expected FaceScape's multi-view data`,
    )
  const scales = await readScales(join(root, 'Rt_scale_dict.json'))
  const problems: string[] = []
  if (!scales)
    problems.push('Rt_scale_dict.json is missing: errors are in the unit of the meshes, which may not be mm')
  const cases: EvaluationCase[] = []
  for (const person of (await foldersIn(join(root, images))).filter((name) => /^\d+$/.test(name))) {
    for (const [group, number, expression] of EXPRESSIONS) {
      const folder = join(images, person, expression)
      const mesh = join(meshes, person, `${expression}.ply`)
      const views = await validViews(root, folder, problems)
      const hasMesh = await isThere(join(root, mesh))
      if (views.length === 0 || !hasMesh) {
        problems.push(`${person}/${expression}: has no ${hasMesh ? 'valid views' : 'mesh'}`)
        continue
      }
      const millimetres = scales?.[person]?.[String(number)]?.[0]
      if (scales && !(Number(millimetres) > 0))
        problems.push(`${person}/${expression}: Rt_scale_dict.json has no scale of it`)
      const unit = Number(millimetres) > 0 ? Number(millimetres) : 1
      cases.push({
        id: `${person}/${expression}`,
        group,
        pictures: views.slice(0, picturesPerCase).map((name) => join(folder, name)),
        read: async () => {
          const marks = await landmarksBeside(join(root, mesh), unit)
          return { scan: await readSurface(join(root, mesh), unit), ...(marks && { landmarks: marks }) }
        },
      })
    }
  }
  const groups = EXPRESSIONS.map(([group]) => group)
  return { name: 'facescape', root, protocol: 'surface', groups, cases, problems }
}

async function firstWhere(places: readonly string[], fits: (place: string) => Promise<boolean>) {
  for (const place of places) if (await fits(place)) return place
  return undefined
}

async function hasPerson(path: string, what: 'folder' | 'mesh'): Promise<boolean> {
  const { join } = await import('node:path')
  for (const person of (await foldersIn(path)).filter((name) => /^\d+$/.test(name)).slice(0, 5)) {
    const inside = join(path, person)
    const found = what === 'mesh' ? await filesIn(inside, /^\d+_\w+\.ply$/) : await foldersIn(inside)
    if (found.some((name) => /^\d+_/.test(name))) return true
  }
  return false
}

async function validViews(root: string, folder: string, problems: string[]): Promise<string[]> {
  const { join } = await import('node:path')
  const path = join(folder, 'params.json')
  const views = await filesIn(join(root, folder), PICTURE)
  const text = await readDataText(join(root, path))
  if (text === undefined) return views
  try {
    const parameters = JSON.parse(text) as Record<string, unknown>
    return views.filter((name) => parameters[`${Number.parseInt(name, 10)}_valid`] !== false)
  } catch {
    problems.push(`${path}: is damaged: which views are valid is not known, all are taken`)
    return views
  }
}

type Scales = Record<string, Record<string, [number, ...unknown[]]>>

async function readScales(path: string): Promise<Scales | undefined> {
  const text = await readDataText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Scales
  } catch (cause) {
    throw new ValueError(`${path}: is no JSON; take it from FaceScape's toolkit again`, { cause })
  }
}
