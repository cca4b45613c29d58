import { ValueError } from '@facekit/core'
import {
  type EvaluationCase,
  type Prediction,
  readSpaceLandmarks,
  readSurface,
  type SpaceLandmarks,
} from '@facekit/evaluation'
import { applySimilarity3d, fitSimilarity3d, type Surface } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { errorLine } from '../error-line.js'
import { readSettings } from '../read-settings.js'
import type { EvaluateSettings } from './evaluate-settings.js'

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
const stemOf = (path: string) => path.replace(/\.[^./\\]+$/, '')
const ALL = Array.from({ length: 68 }, (_, i) => i)
const REALY = Array.from({ length: 85 }, (_, i) => i)
const SEVEN = [36, 39, 42, 45, 33, 48, 54]

/** What a folder of meshes has of a face: one mesh for each picture, averaged.
 *
 * Looked for are, with the endings `.obj` and `.ply`: the picture's path below the data set, its name, the face's name, and what `facekit reconstruct` writes.
 * Landmarks stand beside the mesh (`.txt`, `.npy`, `.pp`, `.json`), are vertices named by `--landmarks`, or those of the face model, if the mesh has its
 * vertices.
 *
 * @throws {ValueError} when there is no mesh, or none that can be read
 */
export async function predictionInFolder(
  folder: string,
  { id, pictures }: EvaluationCase,
  model: MorphableModel,
  settings: Pick<EvaluateSettings, 'millimetres' | 'landmarks'>,
): Promise<{ prediction: Prediction; problems: string[] }> {
  const problems: string[] = []
  const found: { surface: Surface; landmarks?: SpaceLandmarks }[] = []
  for (const picture of pictures) {
    const path = await meshPath(folder, picture, pictures.length === 1 ? id : undefined)
    if (path === undefined) {
      problems.push(`there is no mesh ${join(folder, stemOf(picture))}.obj`)
      continue
    }
    try {
      const surface = await readSurface(path, settings.millimetres)
      const landmarks = await landmarksOf(path, surface, model, settings)
      found.push({ surface, ...(landmarks && { landmarks }) })
    } catch (error) {
      problems.push(errorLine(error, path))
    }
  }
  if (found.length === 0) throw new ValueError(problems[0] ?? 'there is no picture to look for a mesh of')
  if (problems.length > 0) problems.unshift(`${found.length} of ${pictures.length} pictures have a mesh`)
  const [first] = found
  const same = found.filter(({ surface }) => surface.positions.length === first.surface.positions.length)
  if (same.length < found.length)
    problems.push(
      `${found.length - same.length} meshes have another topology than the first and are left out of the average`,
    )
  const surface = averageOf(same.map((each) => each.surface))
  const landmarks = same.length === 1 ? first.landmarks : await landmarksOf('', surface, model, settings)
  return { prediction: { surface, ...(landmarks && { landmarks }) }, problems }
}

async function meshPath(
  folder: string,
  picture: string,
  id: string | undefined,
): Promise<string | undefined> {
  const stem = stemOf(picture)
  const names = [stem, basename(stem), ...(id === undefined ? [] : [id, basename(id)])]
  const candidates = [
    ...names.flatMap((name) => [`${name}.obj`, `${name}.ply`]),
    ...names.map((name) => join(name, 'face-1', 'face.obj')),
  ]
  for (const name of candidates) if (await isFile(join(folder, name))) return join(folder, name)
  return undefined
}

async function landmarksOf(
  path: string,
  surface: Surface,
  model: MorphableModel,
  { landmarks, millimetres }: Pick<EvaluateSettings, 'millimetres' | 'landmarks'>,
): Promise<SpaceLandmarks | undefined> {
  for (const ending of path === '' ? [] : ['.txt', '.npy', '.pp', '.landmarks.json', '.landmarks.txt']) {
    const beside = stemOf(path) + ending
    if (await isFile(beside)) return readSpaceLandmarks(beside, millimetres)
  }
  if (landmarks !== undefined) {
    const { which, vertices } = await readLandmarkVertices(landmarks)
    const last = surface.positions.length / 3 - 1
    const outside = vertices.find((vertex) => vertex > last)
    if (outside !== undefined)
      throw new ValueError(`--landmarks names vertex ${outside}, the mesh has 0 to ${last}: another topology`)
    return { which, positions: pick(surface, vertices) }
  }
  if (surface.positions.length !== model.vertexCount * 3) return undefined
  return { which: ALL, positions: pick(surface, [...model.landmarks]) }
}

/** Vertices of the landmarks in a JSON file: an array of 85, 68 or 7. */
export async function readLandmarkVertices(
  path: string,
): Promise<{ which: readonly number[]; vertices: number[] }> {
  const value = await readSettings(path, '--landmarks')
  const vertices = Array.isArray(value) ? (value as number[]) : []
  const which = { 85: REALY, 68: ALL, 7: SEVEN }[vertices.length]
  if (!which || !vertices.every((vertex) => Number.isSafeInteger(vertex) && vertex >= 0))
    throw new ValueError(
      `--landmarks: ${path} is no array of 68 vertices, of 85 (REALY's keypoints) or of 7 (NoW's), counted from 0`,
    )
  return { which, vertices }
}

const pick = ({ positions }: Surface, vertices: readonly number[]) =>
  Float64Array.from(vertices.flatMap((vertex) => [0, 1, 2].map((c) => positions[vertex * 3 + c])))

/** The mean of meshes of one topology, each brought onto the first by a similarity. */
function averageOf(surfaces: readonly Surface[]): Surface {
  const [first] = surfaces
  const mean = new Float64Array(first.positions.length)
  for (const surface of surfaces) {
    const moved =
      surface === first
        ? surface.positions
        : applySimilarity3d(fitSimilarity3d(surface.positions, first.positions), surface.positions)
    for (let i = 0; i < mean.length; i++) mean[i] += moved[i] / surfaces.length
  }
  return { positions: mean, triangles: first.triangles }
}
