import { writeFileAtomic } from '@facekit/core'
import { srgbBytes } from './color-encoding.js'
import { checkFaceMesh, type FaceMesh } from './face-mesh.js'
import { mouthBytes } from './mouth-color.js'
import { separateVertices } from './separate-vertices.js'

/** Bytes of a vertex: position, normal, colour. */
const VERTEX_BYTES = 6 * 4 + 3
/** Bytes of a triangle: a count and three indices. */
const TRIANGLE_BYTES = 1 + 3 * 4

/** Encodes a face as binary PLY (little endian): millimetres, normals, the diffuse albedo as sRGB bytes on each vertex.
 *
 * With `mesh.uncertainty` each vertex has a float of that name, mm. The triangles that close the mouth come last, with vertices of their own, which are dark.
 *
 * @throws {ShapeError} when sizes of the mesh do not fit together
 * @throws {ValueError} when a number of the mesh is not finite
 */
export function encodePly(mesh: FaceMesh): Uint8Array {
  const face = checkFaceMesh('encodePly', mesh)
  // Lips and mouth meet at vertices, and a vertex has one colour: those of the mouth are written once more.
  const { vertices: mouth, triangles: mouthTriangles } = separateVertices(
    face.innerMouthTriangles,
    face.count,
  )
  const lists = [face.triangles, mouthTriangles]
  const triangleCount = (lists[0].length + lists[1].length) / 3
  const property = (type: string, names: string) => names.split(' ').map((name) => `property ${type} ${name}`)
  const header = new TextEncoder().encode(
    `${[
      'ply',
      'format binary_little_endian 1.0',
      'comment facekit, millimetres',
      `element vertex ${face.count + mouth.length}`,
      ...property('float', 'x y z nx ny nz'),
      ...property('uchar', 'red green blue'),
      ...(face.uncertainty ? property('float', 'uncertainty') : []),
      `element face ${triangleCount}`,
      'property list uchar int vertex_indices',
      'end_header',
    ].join('\n')}\n`,
  )
  const vertexBytes = VERTEX_BYTES + (face.uncertainty ? 4 : 0)
  const bytes = new Uint8Array(
    header.length + (face.count + mouth.length) * vertexBytes + triangleCount * TRIANGLE_BYTES,
  )
  bytes.set(header)
  const view = new DataView(bytes.buffer)
  const colors = srgbBytes(face.diffuse)
  let at = header.length
  const dark = mouthBytes()
  for (let row = 0; row < face.count + mouth.length; row++) {
    const i = row < face.count ? row : mouth[row - face.count]
    for (const values of [face.vertices, face.normals]) {
      for (let k = 0; k < 3; k++, at += 4) view.setFloat32(at, values[3 * i + k], true)
    }
    for (let k = 0; k < 3; k++) bytes[at++] = row < face.count ? colors[3 * i + k] : dark[k]
    if (face.uncertainty) {
      view.setFloat32(at, face.uncertainty[i], true)
      at += 4
    }
  }
  for (const triangles of lists) {
    for (let t = 0; t < triangles.length; t += 3) {
      bytes[at++] = 3
      for (let k = 0; k < 3; k++, at += 4) view.setInt32(at, triangles[t + k], true)
    }
  }
  return bytes
}

/** Writes a face as .ply file, whole or not at all. Node only.
 *
 * @throws as `encodePly`, or the file system's own error
 */
export async function writePly(mesh: FaceMesh, path: string): Promise<void> {
  await writeFileAtomic(path, encodePly(mesh))
}
