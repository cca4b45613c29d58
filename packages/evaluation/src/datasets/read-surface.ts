import { ModelFormatError } from '@facekit/core'
import { fanPolygons, parseObj, parsePly, type Surface } from '@facekit/mesh'
import { readDataFile } from './read-data-file.js'

/** Reads a mesh from an OBJ or PLY file, vertices in the order of the file, polygons as triangles.
 *
 * @param millimetres - of the file's unit. Default 1
 * @throws {ModelFormatError} when the file is missing, damaged, of another kind, or holds no surface: points without triangles
 */
export async function readSurface(path: string, millimetres = 1): Promise<Surface> {
  const bytes = await readDataFile(path)
  const isPly = bytes.length > 3 && String.fromCharCode(...bytes.subarray(0, 3)) === 'ply'
  const { positions, polygons } = isPly
    ? parsePly(bytes, path)
    : parseObj(new TextDecoder().decode(bytes), path)
  const triangles = fanPolygons(polygons)
  if (triangles.length === 0)
    throw new ModelFormatError(
      `${path}: has ${positions.length / 3} points but no triangles, expected a surface; mesh the points first`,
    )
  return {
    positions: millimetres === 1 ? positions : positions.map((value) => value * millimetres),
    triangles,
  }
}
