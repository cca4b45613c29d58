import { ShapeError, ValueError } from '@facekit/core'
import { flatValues, type Values } from './flat-values.js'
import { meshNormals } from './mesh-normals.js'

/** One face, ready to be written: geometry and colours of N vertices. Plain data, in the space of the model or of the world. */
export interface FaceMesh {
  /** `[N, 3]` mm, right-handed, y up, z out of the face. */
  vertices: Values
  /** `[F * 3]` vertex indices, counter-clockwise seen from outside. */
  triangles: Int32Array
  /** `[N, 3]` unit length. Default: the area-weighted means of the triangles' normals. */
  normals?: Values
  /** `[M * 3]` vertex indices of the triangles that close the mouth opening; they get a dark material of their own. */
  innerMouthTriangles?: Int32Array
  /** `[N, 2]` where the vertices of `innerMouthTriangles` lie on the map of the mouth (`FaceTextures.mouth`), as `uv`; see `innerMouthUv` of @facekit/morphable. */
  innerMouthUv?: Values
  /** `[N, 2]` in 0..1, origin at the lower left of the texture. Without it colours are written per vertex only. */
  uv?: Values
  /** `[N, 3]` diffuse albedo, linear RGB. */
  diffuse: Values
  /** `[N, 3]` specular albedo, linear RGB. */
  specular: Values
  /** Exponent of Blinn-Phong. Default 20. */
  shininess?: number
  /** `[N]` mm: how far each vertex may be off; a property of that name in PLY. */
  uncertainty?: Values
}

/** A `FaceMesh` after its checks: all there, all flat. */
export interface CheckedMesh {
  count: number
  vertices: Float32Array
  triangles: Int32Array
  normals: Float32Array
  innerMouthTriangles: Int32Array
  innerMouthUv: Float32Array | undefined
  uv: Float32Array | undefined
  diffuse: Float32Array
  specular: Float32Array
  shininess: number
  uncertainty: Float32Array | undefined
}

/** Checks sizes, indices and numbers of a mesh, and completes it.
 *
 * @param who - the public function that checks, begins each message
 * @throws {ShapeError} when sizes do not fit together, or an index has no vertex
 * @throws {ValueError} when a number is not finite, or the shininess is not positive
 */
export function checkFaceMesh(who: string, mesh: FaceMesh): CheckedMesh {
  const { shininess = 20 } = mesh
  const vertices = flatValues(`${who}: mesh.vertices`, mesh.vertices, 3)
  const count = vertices.length / 3
  const rows = (
    name: 'diffuse' | 'specular' | 'normals' | 'uv' | 'innerMouthUv' | 'uncertainty',
    values: Values,
    width: number,
  ) => {
    const flat = flatValues(`${who}: mesh.${name}`, values, width, count)
    checkFinite(`${who}: mesh.${name}`, flat)
    return flat
  }
  checkFinite(`${who}: mesh.vertices`, vertices)
  const triangles = checkTriangles(`${who}: mesh.triangles`, mesh.triangles, count)
  if (triangles.length === 0)
    throw new ShapeError(`${who}: mesh.triangles is [0], expected at least one triangle`)
  const innerMouthTriangles = checkTriangles(
    `${who}: mesh.innerMouthTriangles`,
    mesh.innerMouthTriangles ?? new Int32Array(0),
    count,
  )
  if (!(Number.isFinite(shininess) && shininess > 0)) {
    throw new ValueError(`${who}: mesh.shininess is ${shininess}, expected a number above 0`)
  }
  return {
    count,
    vertices,
    triangles,
    normals: mesh.normals ? rows('normals', mesh.normals, 3) : meshNormals(vertices, triangles),
    innerMouthTriangles,
    innerMouthUv: mesh.innerMouthUv ? rows('innerMouthUv', mesh.innerMouthUv, 2) : undefined,
    uv: mesh.uv ? rows('uv', mesh.uv, 2) : undefined,
    diffuse: rows('diffuse', mesh.diffuse, 3),
    specular: rows('specular', mesh.specular, 3),
    shininess,
    uncertainty: mesh.uncertainty ? rows('uncertainty', mesh.uncertainty, 1) : undefined,
  }
}

function checkFinite(who: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new ValueError(`${who} has ${values[at]} at number ${at}, expected finite numbers`)
}

function checkTriangles(who: string, triangles: Int32Array, count: number): Int32Array {
  if (!(triangles instanceof Int32Array) || triangles.length % 3 !== 0) {
    throw new ShapeError(
      `${who} is ${triangles instanceof Int32Array ? `[${triangles.length}]` : typeof triangles}, expected an Int32Array of [F * 3]`,
    )
  }
  const at = triangles.findIndex((index) => index < 0 || index >= count)
  if (at >= 0) throw new ShapeError(`${who} names vertex ${triangles[at]}, expected 0 to ${count - 1}`)
  return triangles
}
