import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { Topology } from './topology.js'

/** What was uploaded to a backend, by the array that it came from. */
const uploads = new WeakMap<KernelBackend, WeakMap<Int32Array, TensorInfo>>()

/** Frees GPU memory once the array that it came from is gone. */
const registry = new FinalizationRegistry<{ backend: WeakRef<KernelBackend>; dataId: object }>(
  ({ backend, dataId }) => backend.deref()?.disposeData(dataId),
)

/** An array that never changes, such as the triangles of a mesh, on the GPU: uploaded once, kept as long as the array. */
export function uploadOnce(backend: KernelBackend, values: Int32Array): TensorInfo {
  let known = uploads.get(backend)
  if (known === undefined) uploads.set(backend, (known = new WeakMap<Int32Array, TensorInfo>()))
  let info = known.get(values)
  if (info === undefined) {
    // A copy: the backend may keep what it is given until it is needed, and the key must not be held by its value.
    info = {
      dataId: backend.write(Int32Array.from(values), [values.length], 'int32'),
      shape: [values.length],
      dtype: 'int32',
    }
    known.set(values, info)
    registry.register(values, { backend: new WeakRef(backend), dataId: info.dataId })
  }
  return info
}

const links = new WeakMap<Topology, Int32Array>()

/** `[F * 3]` for each half edge 2 * the half edge on its other side + flipped, -1 where the surface is open. */
export function topologyLinks(topology: Topology): Int32Array {
  let result = links.get(topology)
  if (result === undefined) {
    const { neighbors, flipped } = topology
    result = neighbors.map((neighbor, half) =>
      neighbor < 0 ? -1 : 2 * oppositeOf(topology, half, neighbor) + flipped[half],
    )
    links.set(topology, result)
  }
  return result
}

/** The half edge of a neighbour that runs along the same edge. */
function oppositeOf({ triangles }: Topology, half: number, neighbor: number): number {
  const corner = half % 3
  const ends = [triangles[half - corner + ((corner + 1) % 3)], triangles[half - corner + ((corner + 2) % 3)]]
  for (let k = 0; k < 2; k++) {
    const next = triangles[3 * neighbor + ((k + 1) % 3)]
    const previous = triangles[3 * neighbor + ((k + 2) % 3)]
    if (ends.includes(next) && ends.includes(previous) && next !== previous) return 3 * neighbor + k
  }
  return 3 * neighbor + 2
}

const adjacencies = new WeakMap<Int32Array, Int32Array>()

/** For each vertex where its triangles begin, then, for each of them in order, 4 times the triangle plus the corner. */
export function vertexTriangles(triangles: Int32Array, vertexCount: number): Int32Array {
  const known = adjacencies.get(triangles)
  // Vertices behind the last one that is used change nothing but the number of offsets.
  if (known !== undefined && known.length === vertexCount + 1 + triangles.length) return known
  const result = new Int32Array(vertexCount + 1 + triangles.length)
  for (const vertex of triangles) result[vertex + 1]++
  result[0] = vertexCount + 1
  for (let vertex = 0; vertex < vertexCount; vertex++) result[vertex + 1] += result[vertex]
  const next = result.slice(0, vertexCount)
  for (let i = 0; i < triangles.length; i++) {
    const triangle = Math.floor(i / 3)
    result[next[triangles[i]]++] = 4 * triangle + i - 3 * triangle
  }
  adjacencies.set(triangles, result)
  return result
}
