import { ModelFormatError, type MatArray } from '@facekit/core'
import ndarray from 'ndarray'
import type { MorphableModel } from '../model/morphable-model.js'
import { createMorphableModel } from './create-morphable-model.js'
import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { finite, needMatrix, readMatrices, scaledModes } from './matrix-file.js'
import { sourceName, type ModelSource } from './model-source.js'

/** Options of `readLsfm`. */
export interface LsfmOptions extends Hdf5Options {
  /** Finds the landmarks and gives its albedo, e.g. that of `loadBaseModel()`. */
  template?: MorphableModel
  /** `[68]` vertices of the file's mesh. Default: found. */
  landmarks?: ArrayLike<number>
  /** `'face'` (default) removes ears and neck; `'none'` keeps them. */
  crop?: 'face' | 'none'
  /** How many modes are kept, the first ones. Default all. */
  identityModes?: number
  /** Default `lsfm`. */
  name?: string
}

const VARIABLES = new Set(['mean', 'components', 'eigenvalues', 'trilist'])

/** Reads a Large Scale Face Model (Booth et al., "A 3D Morphable Model learnt from 10,000 faces", CVPR 2016), or another model of menpo's that is stored so: a `.mat` file
 * of level 5 or 7.3.
 *
 * `mean` `[3N]`, `components` `[3N, K]` or `[K, 3N]` of length 1, `eigenvalues` `[K]` variances, `trilist` `[F, 3]` triangles, from 0 or from 1. It has
 * identities only: no expressions, and the albedo of the template.
 *
 * Not run on the original file: see docs/models.md.
 *
 * @param source - path, URL or bytes of the `.mat` file
 * @throws {ModelFormatError} that names the variable that was expected and what was found
 * @example
 * const model = await readLsfm('all_all_all.mat', { template: await loadBaseModel() })
 */
export async function readLsfm(source: ModelSource, options: LsfmOptions = {}): Promise<MorphableModel> {
  const who = sourceName('readLsfm', source)
  const { template, landmarks, crop = 'face', name = 'lsfm', identityModes } = options
  const matrices = await readMatrices(source, who, VARIABLES, options)
  const { data: mean } = needMatrix(who, matrices, ['mean'])
  const size = mean.length
  if (size === 0 || size % 3 !== 0)
    throw new ModelFormatError(`${who}: mean has ${size} numbers, expected three for each vertex`)
  const variances = needMatrix(who, matrices, ['eigenvalues'])
  const negative = variances.data.findIndex((value) => !(value >= 0))
  if (negative >= 0)
    throw new ModelFormatError(
      `${who}: eigenvalues holds ${variances.data[negative]}, expected variances of 0 or more`,
    )
  const modes = scaledModes(
    who,
    columns(needMatrix(who, matrices, ['components']), size),
    { shape: [variances.data.length, 1], data: variances.data.map((value) => Math.sqrt(value)) },
    { name: 'components', size, ...(identityModes !== undefined && { most: identityModes }) },
  )
  return createMorphableModel(
    {
      name,
      license:
        'Large Scale Face Model: non-commercial research only; see the licence that came with the file',
      origin: `Read from a model in the layout of the Large Scale Face Model, with ${size / 3} vertices${crop === 'face' ? ', cropped to the face' : ''}.`,
      mean: ndarray(finite(who, 'mean', new Float32Array(mean)), [size / 3, 3]),
      identity: ndarray(modes, [modes.length / size, size / 3, 3]),
      triangles: trianglesOf(who, needMatrix(who, matrices, ['trilist']), size / 3),
      ...(landmarks && { landmarks }),
    },
    { who, crop, ...(template && { template }) },
  )
}

/** A basis whose modes are columns, whichever way the file has it. */
function columns(basis: MatArray, size: number): MatArray {
  const [rows, count = 1] = basis.shape
  if (rows === size || count !== size) return basis
  const data = new Float32Array(basis.data.length)
  for (let k = 0; k < rows; k++) for (let i = 0; i < size; i++) data[k * size + i] = basis.data[i * rows + k]
  return { shape: [size, rows], data }
}

function trianglesOf(who: string, { shape, data }: MatArray, count: number): Int32Array {
  if (shape.length !== 2 || shape[1] !== 3)
    throw new ModelFormatError(`${who}: trilist is [${shape.join(', ')}], expected [F, 3] vertices`)
  // Python counts from 0, MATLAB from 1.
  let [lowest, highest] = [Infinity, -Infinity]
  for (const vertex of data) {
    lowest = Math.min(lowest, vertex)
    highest = Math.max(highest, vertex)
  }
  const first = lowest >= 1 && highest === count ? 1 : 0
  const [rows] = shape
  return Int32Array.from({ length: rows * 3 }, (_, i) => {
    const vertex = data[(i % 3) * rows + Math.floor(i / 3)] - first
    if (!Number.isInteger(vertex) || vertex < 0 || vertex >= count)
      throw new ModelFormatError(
        `${who}: trilist names vertex ${vertex + first}, expected whole numbers below ${count + first}`,
      )
    return vertex
  })
}
