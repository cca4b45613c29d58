import { isMatFile, ModelFormatError, readMatFile, type MatArray } from '@facekit/core'
import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { Hdf5File } from '../hdf5/hdf5-file.js'
import { firstNotFinite } from '../model/first-not-finite.js'
import { readSource, type ModelSource } from './model-source.js'

/** Most bytes of one variable: the shape basis of Basel 2009 has 128 MB, 255 MB in double precision. */
const LARGEST = 2 ** 30

/** Matrices of a MATLAB file by name, column by column: of level 5, or of level 7.3, which is HDF5.
 *
 * @throws {ModelFormatError} when it is neither, or damaged
 */
export async function readMatrices(
  source: ModelSource,
  who: string,
  names: ReadonlySet<string>,
  options: Hdf5Options = {},
): Promise<Map<string, MatArray>> {
  const bytes = await readSource(source, who)
  if (isMatFile(bytes))
    return readMatFile(bytes, who, { wanted: (name) => names.has(name), largest: LARGEST })
  return Hdf5File.use(bytes, who, options, async (file) => {
    const found = new Map<string, MatArray>()
    for (const { name, kind } of (await file.list('/')) ?? []) {
      if (kind !== 'dataset' || !names.has(name)) continue
      // The rows of HDF5 are Matlab's columns.
      const { data, shape } = await file.numbers(`/${name}`, 'a matrix')
      found.set(name, { data, shape: shape.toReversed() })
    }
    return found
  })
}

/** The matrix of the first of these names that is there.
 *
 * @throws {ModelFormatError} that names what is missing
 */
export function needMatrix(
  who: string,
  matrices: ReadonlyMap<string, MatArray>,
  names: readonly string[],
): MatArray {
  const found = names.map((name) => matrices.get(name)).find(Boolean)
  if (found) return found
  throw new ModelFormatError(
    `${who}: variable "${names[0]}" is missing (found ${[...matrices.keys()].join(', ') || 'none that is known'}); is it the right file?`,
  )
}

/** Modes `[K, 3N]` of one standard deviation each.
 *
 * @param basis - `[3N, K]` of a MATLAB file: column by column, so that each mode lies in one piece
 * @param deviations - `[K]`
 * @throws {ModelFormatError} when sizes do not fit together, or a number is not finite
 */
export function scaledModes(
  who: string,
  basis: MatArray,
  deviations: MatArray,
  { name, size, most = Infinity }: { name: string; size: number; most?: number },
): Float32Array {
  const [rows, columns = 1] = basis.shape
  if (rows !== size || basis.shape.length > 2) {
    throw new ModelFormatError(`${who}: ${name} is [${basis.shape.join(', ')}], expected [${size}, K]`)
  }
  if (deviations.data.length !== columns) {
    throw new ModelFormatError(
      `${who}: ${name} has ${columns} modes and ${deviations.data.length} deviations, expected one for each mode`,
    )
  }
  const count = Math.min(columns, most)
  const modes = new Float32Array(count * size)
  for (let k = 0; k < count; k++) {
    const factor = deviations.data[k]
    for (let i = k * size; i < (k + 1) * size; i++) modes[i] = basis.data[i] * factor
  }
  return finite(who, name, modes)
}

/** The numbers, if all are finite.
 *
 * @throws {ModelFormatError} that names the first that is not
 */
export function finite(who: string, name: string, data: Float32Array): Float32Array {
  const wrong = firstNotFinite(data)
  if (wrong >= 0) throw new ModelFormatError(`${who}: ${name} holds ${data[wrong]}, expected finite numbers`)
  return data
}
