import { ShapeError } from '@facekit/core'
import type { Accessor, Material } from '@gltf-transform/core'
import { checkFaceMesh, type FaceMesh } from './face-mesh.js'
import { meshNormals } from './mesh-normals.js'
import { mouthColor } from './mouth-color.js'
import { unitLength } from './unit-length.js'

/** One morph target: how far it moves each vertex at weight 1. */
export interface MorphTarget {
  name: string
  /** `[N * 3]` mm. */
  offsets: ArrayLike<number>
}

/** Options of `encodeMorphGlb`. */
export interface MorphGlbOptions {
  /** Name of the node, the mesh and the material. Default 'face'. */
  name?: string
  /** Goes into `extras` of the node. */
  extras?: Record<string, unknown>
}

/** Offsets below this are not stored, mm: no screen shows them. */
const SMALLEST = 1e-3
/** The same of normals: a hundredth of a degree. */
const SMALLEST_TURN = 2e-4

/** Encodes a mesh with morph targets as binary glTF 2.0, in metres: blend shapes ("shape keys") of Blender, three.js and others.
 *
 * The diffuse albedo is COLOR_0; the mouth, if closed by triangles, has a dark material and no COLOR_0. Names of targets are in the
 * mesh's `extras.targetNames`, where importers look for them. Base and targets have normals; normals of several targets at once are the
 * sum of their changes, as glTF defines it. Targets that move less than half of the vertices are stored sparse.
 *
 * @returns the bytes of a .glb file
 * @throws {ShapeError} when sizes of the mesh or a target do not fit together
 * @throws {ValueError} when a number of the mesh is not finite
 */
export async function encodeMorphGlb(
  mesh: FaceMesh,
  targets: readonly MorphTarget[],
  options: MorphGlbOptions = {},
): Promise<Uint8Array> {
  const face = checkFaceMesh('encodeMorphGlb', mesh)
  const { name = 'face', extras } = options
  for (const [i, { offsets }] of targets.entries()) {
    if (offsets.length !== face.count * 3) {
      throw new ShapeError(
        `encodeMorphGlb: targets[${i}].offsets is [${offsets.length}], expected [${face.count * 3}]`,
      )
    }
  }
  const { Document, WebIO } = await import('./gltf.js')
  const document = new Document()
  document.getRoot().getAsset().generator = 'facekit'
  const buffer = document.createBuffer()
  const vectors = (values: Float32Array<ArrayBuffer>) =>
    document.createAccessor().setType('VEC3').setArray(values).setBuffer(buffer)
  const position = vectors(face.vertices.map((value) => value / 1000))
  const color = vectors(face.diffuse.map((value) => Math.min(Math.max(value, 0), 1)))
  const normal = vectors(unitLength(face.normals))
  /** A change of each vertex, of which small ones are left out. */
  const changes = (offsets: ArrayLike<number>, smallest: number, factor: number) => {
    let still = 0
    const values = new Float32Array(offsets.length)
    for (let v = 0; v < values.length; v += 3) {
      const length = Math.hypot(offsets[v], offsets[v + 1], offsets[v + 2])
      if (!(length >= smallest)) still++
      else for (let c = 0; c < 3; c++) values[v + c] = offsets[v + c] * factor
    }
    // A sparse accessor must have something in it.
    return vectors(values).setSparse(still > face.count / 2 && still < face.count)
  }
  const rest = meshNormals(face.vertices, face.triangles)
  const moved = targets.map(({ offsets }) => {
    const vertices = face.vertices.map((value, i) => value + offsets[i])
    const turned = meshNormals(vertices, face.triangles).map((value, i) => value - rest[i])
    return {
      POSITION: changes(offsets, SMALLEST, 1 / 1000),
      NORMAL: changes(turned, SMALLEST_TURN, 1),
    }
  })
  const gltfMesh = document
    .createMesh(name)
    .setExtras({ targetNames: targets.map((target) => target.name) })
    .setWeights(targets.map(() => 0))
  const add = (triangles: Int32Array, material: Material, colors?: Accessor) => {
    const indices = face.count > 0xffff ? new Uint32Array(triangles) : new Uint16Array(triangles)
    const primitive = document
      .createPrimitive()
      .setAttribute('POSITION', position)
      .setAttribute('NORMAL', normal)
      .setAttribute('COLOR_0', colors ?? null)
      .setIndices(document.createAccessor().setType('SCALAR').setArray(indices).setBuffer(buffer))
      .setMaterial(material)
    for (const [i, { POSITION, NORMAL }] of moved.entries()) {
      primitive.addTarget(
        document
          .createPrimitiveTarget(targets[i].name)
          .setAttribute('POSITION', POSITION)
          .setAttribute('NORMAL', NORMAL),
      )
    }
    gltfMesh.addPrimitive(primitive)
  }
  const plain = (title: string) => document.createMaterial(title).setMetallicFactor(0)
  add(face.triangles, plain(name).setRoughnessFactor(0.6), color)
  if (face.innerMouthTriangles.length > 0) {
    const dark = plain('inner-mouth')
      .setRoughnessFactor(1)
      .setBaseColorFactor([...mouthColor, 1])
    add(face.innerMouthTriangles, dark)
  }
  const node = document.createNode(name).setMesh(gltfMesh)
  if (extras) node.setExtras(extras)
  document.getRoot().setDefaultScene(document.createScene().addChild(node))
  return new WebIO().writeBinary(document)
}
