import ndarray from 'ndarray'
import { AnnotationError, FacekitError, readMatFile } from '@facekit/core'
import { type Picture, type Points, landmarkCount, readPicture } from '@facekit/annotate'

/** A picture of a face with its landmarks. */
export interface LandmarkSample {
  /** Path of the picture, below the folder. */
  name: string
  /** Folder of the picture, below the folder: in many sets a person. */
  identity: string
  /** `[68, 2]` pixels of the picture, pixel centres at +0.5. */
  landmarks: Points
  /** Decodes the picture. */
  read(): Promise<Picture>
}

/** Names of the variables with 68 points in the files of 300W-LP and AFLW2000-3D, those preferred first: `pts_3d` of 300W-LP's folder
 * `landmarks` and `pt3d_68` of AFLW2000-3D are projected points in space, hidden ones where they are behind the face; `pts_2d` and `pt2d` follow
 * the outline that is seen. */
const MAT_VARIABLES = ['pts_3d', 'pt3d_68', 'pts_2d', 'pt2d'] as const

/** Options of `openLandmarks`. */
export interface OpenLandmarksOptions {
  /** Which points of a `.mat` file. Default: the first of `pts_3d`, `pt3d_68`, `pts_2d`, `pt2d` that it has. */
  variable?: (typeof MAT_VARIABLES)[number]
}

/** Finds the pictures with 68 landmarks in a folder and the folders in it.
 *
 * Understood are `landmarks.json` (see `parseLandmarksJson`), a `.pts` file beside each picture as in 300-W (`parsePts`), and `.mat` files as in
 * 300W-LP and AFLW2000-3D: `AFW/x.jpg` with `landmarks/AFW/x_pts.mat`, or else `AFW/x.mat`. Files of points without a picture, pictures without
 * points, and `.mat` files without 68 points are passed over. Node only.
 *
 * @returns the samples in the order of their names; pictures are decoded when asked for
 * @throws {AnnotationError} when a file is damaged, or there is no sample
 * @example
 * const samples = await openLandmarks('300W_LP')
 * const picture = await samples[0].read()
 */
export async function openLandmarks(
  folder: string,
  options: OpenLandmarksOptions = {},
): Promise<LandmarkSample[]> {
  const { readdir, readFile } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const entries = await readdir(folder, { recursive: true })
  const files = new Set(entries.map((path) => path.replaceAll('\\', '/')))
  const found = new Map<string, Points>()
  const bytes = (path: string) => readFile(join(folder, path))
  for (const path of [...files].filter((file) => /(^|\/)landmarks\.json$/.test(file))) {
    const base = path.slice(0, -'landmarks.json'.length)
    const parsed = parseLandmarksJson(await readFile(join(folder, path), 'utf8'), path)
    for (const [name, points] of Object.entries(parsed))
      if (files.has(base + name)) found.set(base + name, points)
  }
  for (const picture of [...files].filter((file) => /\.(jpe?g|png|webp|tiff?)$/i.test(file))) {
    if (found.has(picture)) continue
    const stem = picture.replace(/\.\w+$/, '')
    const candidates = [`${stem}.pts`, `landmarks/${stem}_pts.mat`, `${stem}.mat`]
    for (const path of candidates.filter((candidate) => files.has(candidate))) {
      const points = path.endsWith('.pts')
        ? parsePts(await readFile(join(folder, path), 'utf8'), path)
        : await matPoints(await bytes(path), path, options.variable)
      if (points === undefined) continue
      found.set(picture, points)
      break
    }
  }
  if (found.size === 0) {
    throw new AnnotationError(
      `openLandmarks: ${folder} holds no picture with landmarks, expected landmarks.json, .pts or .mat files`,
    )
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, landmarks]) => ({
      name,
      identity: name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '',
      landmarks,
      read: () => readPicture(join(folder, name)),
    }))
}

/** Reads the landmarks of many pictures: `{"<picture>": [[x, y] x 68]}`, in pixels whose centres are whole numbers, the first one 0.
 *
 * @param who - begins the messages
 * @returns points with pixel centres at +0.5 for each picture
 * @throws {AnnotationError} when it is no such text
 */
export function parseLandmarksJson(text: string, who = 'parseLandmarksJson'): Record<string, Points> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AnnotationError(`${who}: no JSON, expected {"picture": [[x, y] x ${landmarkCount}]}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AnnotationError(`${who}: expected an object {"picture": [[x, y] x ${landmarkCount}]}`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, points]) => {
      const rows: unknown[] = Array.isArray(points) ? points : []
      const numbers = rows.flatMap((row) =>
        Array.isArray(row) && row.length === 2 ? (row as unknown[]) : [NaN],
      )
      return [name, toPoints(numbers, 0.5, `${who}: "${name}"`)]
    }),
  )
}

/** Reads a `.pts` file of 300-W: pixels are counted from 1, as menpo writes them.
 *
 * @param who - begins the messages
 * @returns `[68, 2]` pixel centres at +0.5
 * @throws {AnnotationError} when it is no such text, or has another number of points
 */
export function parsePts(text: string, who = 'parsePts'): Points {
  const body = /\{([^{}]*)\}/.exec(text)?.[1]
  if (body === undefined) throw new AnnotationError(`${who}: no points in braces, expected "{ x y ... }"`)
  const count = /n_points:\s*(\d+)/.exec(text)?.[1]
  const numbers = body.trim().split(/\s+/)
  if (count !== undefined && 2 * Number(count) !== numbers.length) {
    throw new AnnotationError(`${who}: ${numbers.length} numbers, expected two for each of ${count} points`)
  }
  return toPoints(numbers.map(Number), -0.5, who)
}

/** Reads the landmarks of a `.mat` file of 300W-LP or AFLW2000-3D: pixels are counted from 1.
 *
 * @param variable - which of its points. Default: the first of `pts_3d`, `pt3d_68`, `pts_2d`, `pt2d`
 * @returns `[68, 2]` pixel centres at +0.5
 * @throws {AnnotationError} when it is no such file, or holds no 68 points of that name
 */
export async function parseLandmarksMat(
  bytes: Uint8Array,
  variable?: OpenLandmarksOptions['variable'],
  who = 'parseLandmarksMat',
): Promise<Points> {
  const points = await matPoints(bytes, who, variable)
  if (points === undefined) {
    throw new AnnotationError(`${who}: no 68 points, expected one of ${variable ?? MAT_VARIABLES.join(', ')}`)
  }
  return points
}

async function matPoints(
  bytes: Uint8Array,
  who: string,
  variable?: OpenLandmarksOptions['variable'],
): Promise<Points | undefined> {
  const variables = await readMatFile(bytes, who).catch((error: unknown) => {
    throw error instanceof FacekitError ? new AnnotationError(error.message, { cause: error }) : error
  })
  for (const name of variable === undefined ? MAT_VARIABLES : [variable]) {
    const matrix = variables.get(name)
    if (matrix === undefined || matrix.shape.length !== 2) continue
    const [rows, columns] = matrix.shape
    // Matlab stores column by column: points lie one after another in [2, 68] and [3, 68], axes in [68, 2].
    const upright = rows === landmarkCount && (columns === 2 || columns === 3)
    if (!upright && !(columns === landmarkCount && (rows === 2 || rows === 3))) continue
    const at = (point: number, axis: number) => (upright ? axis * rows + point : point * rows + axis)
    const numbers = Array.from({ length: 2 * landmarkCount }, (_, i) => matrix.data[at(i >> 1, i & 1)])
    return toPoints(numbers, -0.5, who)
  }
  return undefined
}

function toPoints(numbers: readonly unknown[], shift: number, who: string): Points {
  if (numbers.length !== 2 * landmarkCount || !numbers.every((value) => Number.isFinite(value))) {
    throw new AnnotationError(`${who}: expected ${landmarkCount} points of two finite numbers`)
  }
  return ndarray(
    Float32Array.from(numbers as number[], (value) => value + shift),
    [landmarkCount, 2],
  )
}
