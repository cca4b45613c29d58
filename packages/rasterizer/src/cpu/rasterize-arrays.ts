import { projectVertices } from './projected-vertices.js'
import { scanDeferredTriangle } from './scan-deferred-triangle.js'
import { scanTriangles, type Cull, type FragmentArrays } from './scan-triangles.js'
import { wasmMemoryOf, type WasmMemory } from './wasm-memory.js'

/** A batch of meshes and the pictures to render. */
export interface RasterizeScene {
  /** `[B * N * 4]` */
  clip: Float32Array
  batch: number
  count: number
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
}

let deferred = new Int32Array(0)

/** Fills the fragments of a batch: in WebAssembly where that is the memory of the arrays, else in TypeScript. */
export function rasterizeArrays(scene: RasterizeScene, fragments: FragmentArrays): void {
  const memory = wasmMemoryOf(scene.clip)
  if (memory) rasterizeInWasm(memory, scene, fragments)
  else rasterizeHere(scene, fragments)
}

const part = (
  { ids, depth, barycentrics }: FragmentArrays,
  item: number,
  pixels: number,
): FragmentArrays => ({
  ids: ids.subarray(item * pixels, (item + 1) * pixels),
  depth: depth.subarray(item * pixels, (item + 1) * pixels),
  barycentrics: barycentrics.subarray(3 * item * pixels, 3 * (item + 1) * pixels),
})

function rasterizeHere(scene: RasterizeScene, fragments: FragmentArrays): void {
  const { clip, batch, count, triangles, width, height, cull } = scene
  if (3 * deferred.length < triangles.length) deferred = new Int32Array(triangles.length / 3)
  for (let item = 0; item < batch; item++) {
    const picture = part(fragments, item, width * height)
    const offset = 4 * item * count
    const vertices = projectVertices(clip, offset, count, width, height)
    const left = scanTriangles(vertices, triangles, width, cull, picture, deferred)
    for (let i = 0; i < left; i++) {
      scanDeferredTriangle(clip, offset, triangles, deferred[i], width, height, cull, picture)
    }
  }
}

/** Room for the hits that assembly/rasterize.ts lists before it draws them: 256, those of one more triangle, and one more. */
const HITS = (256 + 48 + 1) * 32

function rasterizeInWasm(memory: WasmMemory, scene: RasterizeScene, fragments: FragmentArrays): void {
  const { clip, batch, count, triangles, width, height, cull } = scene
  const { kernels } = memory
  const pixels = width * height
  const faces = triangles.length / 3
  const [clipAt, idsAt, depthAt, barycentricsAt] = [
    clip.byteOffset,
    fragments.ids.byteOffset,
    fragments.depth.byteOffset,
    fragments.barycentrics.byteOffset,
  ]
  const trianglesAt = memory.resident(triangles)
  // A vertex and an entry of each list more than there are: the kernels write one beyond the end.
  const recordsAt = memory.scratch(36 * (count + 2) + HITS + 8 * (faces + 1) + 16)
  const cellsAt = recordsAt + 32 * (count + 2)
  const hitsAt = cellsAt + 4 * (count + 2)
  const listAt = hitsAt + HITS
  const deferredAt = listAt + 4 * (faces + 1)
  const counterAt = deferredAt + 4 * (faces + 1)
  const [keepPositive, keepNegative] = [cull === 'back' ? 0 : 1, cull === 'front' ? 0 : 1]
  for (let item = 0; item < batch; item++) {
    const itemClip = clipAt + 16 * item * count
    const [ids, depth, barycentrics] = [4, 4, 12].map(
      (size, k) => [idsAt, depthAt, barycentricsAt][k] + size * item * pixels,
    )
    kernels.clear(pixels, ids, depth, barycentrics)
    const special = kernels.project(itemClip, count, width, height, recordsAt, cellsAt)
    if (special) kernels.markSpecial(itemClip, count, cellsAt)
    const length = kernels.classify(trianglesAt, faces, cellsAt, special, listAt, deferredAt, counterAt)
    const to = [ids, depth, barycentrics, deferredAt, counterAt]
    const kept = [keepPositive, keepNegative]
    kernels.scan(listAt, length, hitsAt, trianglesAt, recordsAt, cellsAt, width, ...kept, ...to)
    const left = memory.integers(counterAt, 1)[0]
    if (left === 0) continue
    const list = memory.integers(deferredAt, left)
    const vertices = memory.floats(itemClip, 4 * count)
    const picture: FragmentArrays = {
      ids: memory.integers(ids, pixels),
      depth: memory.floats(depth, pixels),
      barycentrics: memory.floats(barycentrics, 3 * pixels),
    }
    for (const triangle of list) {
      scanDeferredTriangle(vertices, 0, triangles, triangle, width, height, cull, picture)
    }
  }
}
