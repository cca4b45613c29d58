import { ModelFormatError, type MatArray } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { needMatrix, readMatrices, scaledModes } from './matrix-file.js'
import { readSource, type ModelSource } from './model-source.js'

/** Expressions of FaceWarehouse on the mesh of the Basel Face Model 2009, as Guo et al. published them. */
export interface ExpPca {
  /** `Exp_Pca.bin`: int32 K, then float32 `[3M]` the mean and `[K, 3M]` modes of length 1, micrometres. */
  modes: ModelSource
  /** `std_exp.txt`: K standard deviations. */
  deviations: ModelSource
  /** `BFM_exp_idx.mat`: `trimIndex`, the M vertices of the mesh that they move, counted from 1. Default: M is the whole mesh. */
  vertices?: ModelSource
}

/** Names that people gave to expressions which they added to the file: mean, modes, deviations. */
const MEAN = ['expMU', 'exp_mu', 'mu_exp']
const MODES = ['expPC', 'exp_pca', 'expPCA', 'w_exp']
const DEVIATIONS = ['expEV', 'exp_ev', 'exp_std', 'std_exp', 'sigma_exp']

/** All of them. */
export const expressionVariables: readonly string[] = [...MEAN, ...MODES, ...DEVIATIONS]

/** Expressions `[K, N, 3]` that are in the file itself; their mean, where there is one, is added to that of the shape.
 *
 * @param mean - `[3N]` of the shape; changed
 * @returns undefined where the file has none
 * @throws {ModelFormatError} when they have no deviations, or sizes do not fit
 */
export function addedExpressions(
  who: string,
  matrices: ReadonlyMap<string, MatArray>,
  mean: Float32Array,
  most?: number,
): NdArray<Float32Array> | undefined {
  const name = MODES.find((variable) => matrices.has(variable))
  if (!name) return undefined
  const size = mean.length
  const modes = scaledModes(who, matrices.get(name)!, needMatrix(who, matrices, DEVIATIONS), {
    name,
    size,
    ...(most !== undefined && { most }),
  })
  const offset = MEAN.map((variable) => matrices.get(variable)).find(Boolean)
  if (offset && offset.data.length !== size) {
    throw new ModelFormatError(
      `${who}: the mean of the expressions has ${offset.data.length} numbers, expected ${size}`,
    )
  }
  if (offset) for (let i = 0; i < size; i++) mean[i] += offset.data[i]
  return ndarray(modes, [modes.length / size, size / 3, 3])
}

/** Expressions `[K, N, 3]` of files of their own. Vertices that they do not move go with the nearest one that they do. Their mean is
 * left out, as the code that the files come with does: zero coefficients are the face at rest.
 *
 * @param mean - `[3N]` of the shape
 * @throws {ModelFormatError} that names the file that does not fit
 */
export async function readExpPca(
  who: string,
  files: ExpPca,
  mean: Float32Array,
  most = Infinity,
): Promise<NdArray<Float32Array>> {
  const text = new TextDecoder().decode(
    await readSource(files.deviations, `${who}: deviations of expressions`),
  )
  const deviations = text
    .trim()
    .split(/[\s,]+/)
    .map(Number)
  const bytes = await readSource(files.modes, `${who}: Exp_Pca.bin`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const columns = bytes.length < 4 ? 0 : view.getInt32(0, true)
  const moved = (bytes.length - 4) / 4 / (columns + 1) / 3
  if (columns < 1 || columns > 10_000 || !Number.isInteger(moved)) {
    throw new ModelFormatError(
      `${who}: Exp_Pca.bin has ${bytes.length} bytes and ${columns} modes, expected 4 + 4 (K + 1) 3M; the file is truncated or damaged`,
    )
  }
  if (deviations.length !== columns || !deviations.every((value) => Number.isFinite(value))) {
    throw new ModelFormatError(
      `${who}: the expressions have ${columns} modes and ${deviations.length} deviations, expected one number for each mode`,
    )
  }
  const vertices = await movedVertices(who, files, moved, mean.length / 3)
  const sources = nearestMoved(mean, vertices)
  const count = Math.min(columns, most)
  const modes = new Float32Array(count * mean.length)
  for (let k = 0; k < count; k++) {
    for (let v = 0; v < sources.length; v++) {
      for (let c = 0; c < 3; c++) {
        const from = 4 + 4 * ((k + 1) * moved * 3 + sources[v] * 3 + c)
        modes[k * mean.length + v * 3 + c] = deviations[k] * view.getFloat32(from, true)
      }
    }
  }
  return ndarray(modes, [count, mean.length / 3, 3])
}

async function movedVertices(
  who: string,
  files: ExpPca,
  moved: number,
  vertexCount: number,
): Promise<Int32Array> {
  if (!files.vertices) {
    if (moved === vertexCount) return Int32Array.from({ length: moved }, (_, i) => i)
    throw new ModelFormatError(
      `${who}: the expressions move ${moved} vertices, the mesh has ${vertexCount}; pass { vertices }, BFM_exp_idx.mat`,
    )
  }
  const name = `${who}: BFM_exp_idx.mat`
  const { data } = needMatrix(name, await readMatrices(files.vertices, name, new Set(['trimIndex'])), [
    'trimIndex',
  ])
  const list = Int32Array.from(data, (vertex) => vertex - 1)
  if (list.length !== moved || list.some((vertex) => vertex < 0 || vertex >= vertexCount)) {
    throw new ModelFormatError(
      `${name}: trimIndex has ${list.length} vertices, expected ${moved} from 1 to ${vertexCount}`,
    )
  }
  return list
}

/** For each vertex the row of the list that names it, or that names the vertex nearest to it. */
function nearestMoved(mean: Float32Array, vertices: Int32Array): Int32Array {
  const rows = new Int32Array(mean.length / 3).fill(-1)
  vertices.forEach((vertex, row) => (rows[vertex] = row))
  for (let v = 0; v < rows.length; v++) {
    if (rows[v] >= 0) continue
    let least = Infinity
    for (let row = 0; row < vertices.length; row++) {
      const other = vertices[row] * 3
      const square =
        (mean[v * 3] - mean[other]) ** 2 +
        (mean[v * 3 + 1] - mean[other + 1]) ** 2 +
        (mean[v * 3 + 2] - mean[other + 2]) ** 2
      if (square < least) [least, rows[v]] = [square, row]
    }
  }
  return rows
}
