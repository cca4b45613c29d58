import type { MorphableModel } from '@facekit/morphable'
import { type Topology, createTopology } from '@facekit/mesh'

/** Mesh that is rasterized: the face and its inner mouth. */
export interface FaceMesh {
  /** `[(F + M) * 3]`: the F triangles of the face, then the M of the inner mouth. */
  triangles: Int32Array
  /** F. */
  faceTriangles: number
  /** The lips' inner edges are outlines in it, as the masks jump there. */
  topology: Topology
}

const meshes = new WeakMap<MorphableModel, FaceMesh>()

/** The mesh of a model; made once. */
export function faceMesh(model: MorphableModel): FaceMesh {
  let mesh = meshes.get(model)
  if (!mesh) {
    const triangles = new Int32Array(model.triangles.length + model.innerMouthTriangles.length)
    triangles.set(model.triangles)
    triangles.set(model.innerMouthTriangles, model.triangles.length)
    const faceTriangles = model.triangles.length / 3
    const labels = Uint8Array.from({ length: triangles.length / 3 }, (_, t) => (t < faceTriangles ? 0 : 1))
    mesh = { triangles, faceTriangles, topology: createTopology(triangles, model.vertexCount, { labels }) }
    meshes.set(model, mesh)
  }
  return mesh
}
