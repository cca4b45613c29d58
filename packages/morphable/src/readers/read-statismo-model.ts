import type { Hdf5Options } from '../hdf5/hdf5-connection.js'
import { Hdf5File } from '../hdf5/hdf5-file.js'
import { sourceName, type ModelSource } from './model-source.js'
import {
  checkVertexCount,
  readLinearPart,
  readNamedPoints,
  readStatismoMesh,
  type LinearPart,
  type NamedPoint,
  type StatismoMesh,
} from './statismo.js'

export type { LinearPart, NamedPoint } from './statismo.js'

/** What a Statismo file holds, as it is there: units, space and colours are those of the file. */
export interface StatismoModel extends StatismoMesh {
  shape: LinearPart
  expression?: LinearPart
  color?: LinearPart
  diffuseAlbedo?: LinearPart
  specularAlbedo?: LinearPart
  namedPoints: NamedPoint[]
}

/** Reads all linear models of a Statismo HDF5 file, of any object: no face is looked for in it.
 *
 * @throws {ModelFormatError} that names the dataset that was expected and what was found
 */
export async function readStatismoModel(
  source: ModelSource,
  options: Hdf5Options = {},
): Promise<StatismoModel> {
  const who = sourceName('readStatismoModel', source)
  return Hdf5File.use(source, who, options, async (file) => {
    const shape = await readLinearPart(file, '/shape')
    const vertexCount = shape.mean.shape[0]
    const mesh = await readStatismoMesh(file, '/shape')
    checkVertexCount(who, '/shape/representer', mesh.points.length / 3, vertexCount)
    const parts: Partial<Record<'expression' | 'color' | 'diffuseAlbedo' | 'specularAlbedo', LinearPart>> = {}
    for (const name of ['expression', 'color', 'diffuseAlbedo', 'specularAlbedo'] as const) {
      if (await file.list(`/${name}`)) parts[name] = await readLinearPart(file, `/${name}`, { vertexCount })
    }
    return { ...mesh, shape, ...parts, namedPoints: await readNamedPoints(file) }
  })
}
