import { ModelFormatError, ValueError } from '@facekit/core'
import { applySimilarity3d, fanPolygons, fitSimilarity3d, parseObj, parsePly } from '@facekit/mesh'
import type { MorphableModel } from '../model/morphable-model.js'
import { createMorphableModel } from './create-morphable-model.js'
import { checkFileSize } from './model-source.js'
import { principalModes } from './principal-modes.js'

/** Options of `readMeshFolder`. */
export interface MeshFolderOptions {
  /** Finds the landmarks and gives its albedo, e.g. that of `loadBaseModel()`. */
  template?: MorphableModel
  /** `[68]` vertices of the mesh. Default: found. */
  landmarks?: ArrayLike<number>
  /** `'face'` (default) removes ears and neck; `'none'` keeps them. */
  crop?: 'face' | 'none'
  /** Most modes. Default 100 and 50. */
  identityModes?: number
  expressionModes?: number
  /** Most meshes of one person that are read, evenly over all that there are. Default 40. */
  meshesOfPerson?: number
  /** Default: that of the folder. */
  name?: string
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

const MESH = /\.(ply|obj)$/i

/** Makes a model of meshes with one topology, as CoMA has them (Ranjan et al., "Generating 3D faces using convolutional mesh autoencoders", ECCV 2018): a folder for each person,
 * in it one for each sequence, `.ply` or `.obj`, the first mesh of a sequence being neutral. Meshes that lie in the folder itself are one person each.
 *
 * All are laid on the first by rotation and translation. Identity: principal components of the persons' neutral meshes about their mean; expression: those of
 * all other meshes about their person's neutral one (about zero, as an expression is a change).
 *
 * @param folder - path (Node)
 * @throws {ModelFormatError} when a mesh cannot be read, has another topology, or there are fewer than two
 * @throws {ValueError} when a number of modes or meshes is not positive
 * @example
 * const model = await readMeshFolder('coma', { template: await loadBaseModel() })
 */
export async function readMeshFolder(
  folder: string,
  options: MeshFolderOptions = {},
): Promise<MorphableModel> {
  const who = `readMeshFolder: ${folder}`
  const { template, landmarks, crop = 'face', identityModes = 100, expressionModes = 50 } = options
  const { meshesOfPerson = 40, onProgress, signal } = options
  if (!(meshesOfPerson >= 1))
    throw new ValueError(`${who}: meshesOfPerson is ${meshesOfPerson}, expected 1 or more`)
  const people = await listPeople(folder, meshesOfPerson)
  const total = people.reduce((sum, sequences) => sum + sequences.flat().length, 0)
  if (total < 2)
    throw new ModelFormatError(`${who}: holds ${total} meshes (.ply, .obj), expected two or more`)
  let done = 0
  let first: Mesh | undefined
  const read = async (path: string): Promise<Float32Array> => {
    signal?.throwIfAborted()
    const mesh = await readMesh(folder, path)
    onProgress?.(++done, total)
    if (!first) return (first = mesh).positions
    if (mesh.positions.length !== first.positions.length || !sameNumbers(mesh.triangles, first.triangles))
      throw new ModelFormatError(
        `${who}: ${path} has ${mesh.positions.length / 3} vertices and ${mesh.triangles.length / 3} triangles, expected the ${first.positions.length / 3} and ${first.triangles.length / 3} of the others, in the same order`,
      )
    return laidOn(mesh.positions, first.positions)
  }
  const neutrals: Float32Array[] = []
  const moves: Float32Array[] = []
  for (const sequences of people) {
    const starts: Float32Array[] = []
    const others: Float32Array[] = []
    for (const [start, ...rest] of sequences) {
      starts.push(await read(start))
      for (const path of rest) others.push(await read(path))
    }
    const neutral = meanOf(starts)
    neutrals.push(neutral)
    for (const positions of others) moves.push(positions.map((value, i) => value - neutral[i]))
  }
  const { triangles } = first!
  const mean = meanOf(neutrals)
  const size = mean.length
  const differences = neutrals.map((neutral) => neutral.map((value, i) => value - mean[i]))
  const identity = principalModes(differences, identityModes, Math.max(neutrals.length - 1, 1))
  const expression = principalModes(moves, expressionModes, Math.max(moves.length, 1))
  const shaped = (data: Float32Array) => ({ shape: [data.length / size, size / 3, 3], data })
  const name = options.name ?? folder.split(/[/\\]/).findLast((part) => part !== '') ?? 'meshes'
  return createMorphableModel(
    {
      name,
      origin: `Principal components of ${total} meshes of ${people.length} people.`,
      mean: { shape: [size / 3, 3], data: mean },
      identity: shaped(identity),
      ...(expression.length > 0 && { expression: shaped(expression) }),
      triangles,
      ...(landmarks && { landmarks }),
    },
    { who, crop, ...(template && { template }) },
  )
}

/** Whether a folder has meshes in it, or in folders of folders.
 *
 * @returns false for one that cannot be read
 */
export async function holdsMeshes(folder: string): Promise<boolean> {
  return (await meshPaths(folder)).length > 0
}

async function meshPaths(folder: string): Promise<string[]> {
  const { readdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const names = await readdir(folder, { recursive: true }).catch((): string[] => [])
  const numeric = new Intl.Collator('en', { numeric: true })
  return names
    .filter((name) => MESH.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort(numeric.compare)
}

/** Paths of the meshes of each person, sequence by sequence. */
async function listPeople(folder: string, most: number): Promise<string[][][]> {
  const people = new Map<string, Map<string, string[]>>()
  for (const path of await meshPaths(folder)) {
    const slash = path.indexOf('/')
    const person = slash < 0 ? path : path.slice(0, slash)
    const sequence = path.slice(0, path.lastIndexOf('/') + 1)
    const sequences = people.get(person) ?? new Map<string, string[]>()
    people.set(person, sequences)
    sequences.set(sequence, [...(sequences.get(sequence) ?? []), path])
  }
  return [...people.values()].map((sequences) => {
    const each = Math.max(1, Math.floor(most / sequences.size))
    return [...sequences.values()]
      .slice(0, most)
      .map((paths) =>
        paths.length <= each
          ? paths
          : Array.from({ length: each }, (_, i) => paths[Math.floor((i * paths.length) / each)]),
      )
  })
}

interface Mesh {
  positions: Float32Array
  triangles: Int32Array
}

async function readMesh(folder: string, path: string): Promise<Mesh> {
  const who = `readMeshFolder: ${path}`
  const file = `${folder}/${path}`
  await checkFileSize(file, who)
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const bytes = await readFile(file)
  const { positions, polygons } = /\.ply$/i.test(path)
    ? parsePly(bytes, who)
    : parseObj(bytes.toString('utf8'), who)
  if (polygons.length === 0) throw new ModelFormatError(`${who}: has no polygons, expected a mesh`)
  return { positions: Float32Array.from(positions), triangles: Int32Array.from(fanPolygons(polygons)) }
}

/** Positions turned and moved onto others, not scaled. */
function laidOn(positions: Float32Array, target: Float32Array): Float32Array {
  const { scale, rotation, translation } = fitSimilarity3d(positions, target)
  // The centroids meet with any scale.
  const centre = [0, 1, 2].map((c) => {
    let sum = 0
    for (let i = c; i < positions.length; i += 3) sum += positions[i]
    return (3 * sum) / positions.length
  })
  const turned = [0, 1, 2].map((r) => [0, 1, 2].reduce((sum, c) => sum + rotation[3 * r + c] * centre[c], 0))
  const moved = translation.map((value, c) => value + (scale - 1) * turned[c]) as [number, number, number]
  return Float32Array.from(applySimilarity3d({ scale: 1, rotation, translation: moved }, positions))
}

const meanOf = (list: readonly Float32Array[]): Float32Array =>
  list[0].map((_, i) => list.reduce((sum, values) => sum + values[i], 0) / list.length)

const sameNumbers = (a: Int32Array, b: Int32Array) =>
  a.length === b.length && a.every((value, i) => value === b[i])
