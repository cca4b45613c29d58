import { ModelFormatError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { firstNotFinite } from '../model/first-not-finite.js'
import type { Hdf5File } from '../hdf5/hdf5-file.js'

/** One linear model of N vertices with three numbers each: `mean + sum over k of c[k] * basis[k]`, c in standard deviations. */
export interface LinearPart {
  /** `[N, 3]` */
  mean: NdArray<Float32Array>
  /** `[K, N, 3]`, one standard deviation of each mode. */
  basis: NdArray<Float32Array>
}

/** A mesh, or the lack of one. */
export interface StatismoMesh {
  /** `[N * 3]` reference positions; not the mean. */
  points: Float32Array
  /** `[F * 3]` */
  triangles: Int32Array
  /** Metres that one unit of the points and the shape stands for, where the file says so. */
  lengthUnit?: number
}

/** A named point of a file's metadata. */
export interface NamedPoint {
  name: string
  position: [number, number, number]
}

const LARGEST_VERTICES = 10_000_000
const LARGEST_MODES = 10_000

/** Reads one linear model of a Statismo file: `/shape`, `/color`, `/expression`, `/diffuseAlbedo`, ...
 *
 * Columns of `pcaBasis` are of length 1 since minor version 9 and get the square roots of `pcaVariance`; before, they were
 * stored with these already in them, so they are brought to length 1 first, as the format's own software does.
 *
 * @param most - modes that are kept, the first ones
 * @param vertices - N that is expected
 */
export async function readLinearPart(
  file: Hdf5File,
  group: string,
  options: { modes?: number; vertexCount?: number } = {},
): Promise<LinearPart> {
  const model = `${group}/model`
  const mean = await file.shapeOf(`${model}/mean`, 'the mean, [3N] floats')
  const size = mean.reduce((product, n) => product * n, 1)
  const expectedSize = options.vertexCount === undefined ? undefined : options.vertexCount * 3
  if (size % 3 !== 0 || size === 0 || size > 3 * LARGEST_VERTICES || (expectedSize ?? size) !== size) {
    file.fail(
      `${model}/mean has ${size} numbers, expected ${expectedSize === undefined ? 'three for each vertex' : `${expectedSize}: three for each of the shape's vertices`}`,
    )
  }
  const basisShape = await file.shapeOf(`${model}/pcaBasis`, '[3N, K] floats')
  const [rows, columns] = basisShape
  if (basisShape.length !== 2 || rows !== size || columns > LARGEST_MODES) {
    file.fail(
      `${model}/pcaBasis is [${basisShape.join(', ')}], expected [${size}, K] with K up to ${LARGEST_MODES}`,
    )
  }
  const variance = await file.numbers(`${model}/pcaVariance`, '[K] floats')
  if (variance.data.length !== columns) {
    file.fail(
      `${model}/pcaVariance has ${variance.data.length} numbers, expected ${columns}, one for each mode`,
    )
  }
  variance.data.forEach((value, k) => {
    if (!(value >= 0 && Number.isFinite(value))) {
      file.fail(`${model}/pcaVariance holds ${value} at mode ${k}, expected numbers from 0`)
    }
  })
  const version = await readVersion(file, group)
  const count = Math.min(columns, options.modes ?? Infinity)
  const deviations = variance.data.map(Math.sqrt)
  const isScaled = version.major === 0 && version.minor <= 8
  const factors = isScaled ? deviations.map(() => 1) : deviations
  const basis = await readTransposed(file, `${model}/pcaBasis`, basisShape, factors.subarray(0, count))
  if (isScaled) {
    for (let k = 0; k < count; k++) {
      const column = basis.subarray(k * size, (k + 1) * size)
      const factor = deviations[k] / (lengthOf(column) || 1)
      for (let i = 0; i < size; i++) column[i] *= factor
    }
  }
  const { data } = await file.numbers(`${model}/mean`, 'the mean, [3N] floats')
  checkFinite(file, `${model}/mean`, data)
  checkFinite(file, `${model}/pcaBasis`, basis)
  return { mean: ndarray(data, [size / 3, 3]), basis: ndarray(basis, [count, size / 3, 3]) }
}

/** `[3N, K]` as `[K, 3N]`: as many columns of it as there are factors, each times its factor. */
async function readTransposed(
  file: Hdf5File,
  path: string,
  [rows, columns]: readonly number[],
  factors: Float32Array,
): Promise<Float32Array> {
  const count = factors.length
  const result = new Float32Array(count * rows)
  await file.readBlocks(path, [rows, columns], (block, first) => {
    const height = block.length / columns
    // Rows in short runs: the inner loop writes one after the other and reads what is still in the cache.
    for (let start = 0; start < height; start += 64) {
      const end = Math.min(height, start + 64)
      for (let k = 0; k < count; k++) {
        const factor = factors[k]
        const to = k * rows + first
        for (let r = start, from = start * columns + k; r < end; r++, from += columns) {
          result[to + r] = factor * block[from]
        }
      }
    }
  })
  return result
}

const lengthOf = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

function checkFinite(file: Hdf5File, path: string, values: Float32Array): void {
  const wrong = firstNotFinite(values)
  if (wrong >= 0) file.fail(`${path} holds ${values[wrong]}, expected finite numbers`)
}

/** Version of the layout; files without one are of the time before 0.9. */
async function readVersion(file: Hdf5File, group: string): Promise<{ major: number; minor: number }> {
  for (const base of [group, '']) {
    const minor = await file.number(`${base}/version/minorVersion`)
    if (minor === undefined) continue
    const major = (await file.number(`${base}/version/majorVersion`)) ?? 0
    if (major > 1 || (major === 0 && minor > 9) || minor < 0) {
      file.fail(`${base}/version is ${major}.${minor}, expected 0.8, 0.9 or 1.x`)
    }
    return { major, minor }
  }
  return { major: 0, minor: 8 }
}

/** Reads the mesh of a part: `representer/points` and `cells`, `[3, N]` and `[3, F]`, or, in old files,
 * `representer/reference-mesh/vertex-coordinates` and `triangle-list`, `[N, 3]` and `[F, 3]`. */
export async function readStatismoMesh(file: Hdf5File, group: string): Promise<StatismoMesh> {
  const representer = `${group}/representer`
  const legacy = (await file.describe(`${representer}/reference-mesh/vertex-coordinates`))?.kind === 'dataset'
  const [pointsPath, cellsPath] = legacy
    ? [`${representer}/reference-mesh/vertex-coordinates`, `${representer}/reference-mesh/triangle-list`]
    : [`${representer}/points`, `${representer}/cells`]
  const rows = async (path: string, what: string) => {
    const expected = legacy ? `[${what}, 3]` : `[3, ${what}]`
    const { data, shape } = await file.numbers(path, expected)
    if (shape.length !== 2 || shape[legacy ? 1 : 0] !== 3) {
      file.fail(`${path} is [${shape.join(', ')}], expected ${expected}`)
    }
    if (legacy) return data
    const count = shape[1]
    return Float32Array.from(data, (_, i) => data[(i % 3) * count + Math.floor(i / 3)])
  }
  const points = await rows(pointsPath, 'N')
  checkFinite(file, pointsPath, points)
  const triangles = Int32Array.from(await rows(cellsPath, 'F'))
  const wrong = triangles.find((vertex) => vertex < 0 || vertex >= points.length / 3)
  if (wrong !== undefined) file.fail(`${cellsPath} names vertex ${wrong}, the mesh has ${points.length / 3}`)
  if (triangles.length === 0) file.fail(`${cellsPath} holds no triangle`)
  const lengthUnit = await file.number(`${representer}/length-unit`)
  return { points, triangles, ...(lengthUnit !== undefined && lengthUnit > 0 && { lengthUnit }) }
}

/** Named points: `/metadata/landmarks/json`, or the older `text`, a line each: name, 1, x, y, z. None where there is neither. */
export async function readNamedPoints(file: Hdf5File): Promise<NamedPoint[]> {
  const json = await file.text('/metadata/landmarks/json')
  if (json !== undefined) return parseJsonPoints(json)
  const text = (await file.text('/metadata/landmarks/text')) ?? ''
  return text.split('\n').flatMap((line) => {
    const [name, visible, ...numbers] = line.trim().split(/\s+/)
    const position = numbers.slice(0, 3).map(Number)
    return visible === '1' ? namedPoint(name, position) : []
  })
}

function parseJsonPoints(json: string): NamedPoint[] {
  let list: unknown
  try {
    list = JSON.parse(json)
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  return list.flatMap((item: { id?: unknown; coordinates?: unknown } | null) =>
    namedPoint(item?.id, item?.coordinates),
  )
}

function namedPoint(name: unknown, position: unknown): NamedPoint[] {
  const isPoint =
    Array.isArray(position) && position.length === 3 && position.every((value) => Number.isFinite(value))
  return typeof name === 'string' && isPoint ? [{ name, position: position as [number, number, number] }] : []
}

/** Sees that numbers of vertices agree. */
export function checkVertexCount(who: string, part: string, found: number, expected: number): void {
  if (found !== expected) {
    throw new ModelFormatError(
      `${who}: ${part} has ${found} vertices, the shape ${expected}; use files of the same crop, e.g. both "face12"`,
    )
  }
}
