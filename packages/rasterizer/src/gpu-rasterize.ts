import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce } from './gpu-constants.js'
import { projectVertex } from './gpu-project.js'
import { resolveProgram, tilesFor } from './gpu-resolve.js'
import { SCAN_SIZE, scanProgram } from './gpu-scan.js'
import { linearIndex } from './gpu-snippets.js'
import { NO_KEY } from './gpu-triangle.js'
import type { Cull } from './scan-triangles.js'

/** Projects the vertices, and clears what minima are taken of and the lengths of lists. */
const beginProgram: GpuProgram = {
  name: 'facekit_rasterize_begin',
  inputs: ['clip: vec4<f32>'],
  outputs: ['points: vec4<f32>', 'keys: i32', 'ids: i32', 'lists: i32'],
  uniforms: ['vertices: u32', 'pixels: u32', 'lengths: u32', 'width: f32', 'height: f32'],
  code: /* wgsl */ `${projectVertex}${linearIndex(64)}
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.vertices) {
        points[index] = projectVertex(clip[index], 0.5 * vec2<f32>(uniforms.width, uniforms.height));
      }
      if (index < uniforms.pixels) {
        keys[index] = ${NO_KEY};
        ids[index] = ${NO_KEY};
      }
      if (index < uniforms.lengths) { lists[index] = 0; }
    }`,
}

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
}

const CULLS: readonly Cull[] = ['none', 'back', 'front']
/** A GPU is full with so many workgroups of the second phase. */
const FULL = 1024
const MOST_GROUPS = 65535

/** Largest box, in pixels, that one thread loops over; see \`largestBox\`. */
export const tuning = { smallest: 32, perTile: 0.25 }

/** `rasterize` on WebGPU: ids, barycentrics and depth of `[B, N, 4]` clip-space vertices. See the notes in gpu-scan.ts, gpu-triangle.ts
 * and gpu-resolve.ts. */
export function rasterizeOnGpu(
  backend: KernelBackend,
  [clip]: TensorInfo[],
  { triangles, width, height, cull }: Attributes,
): TensorInfo[] {
  const [batch, count] = clip.shape
  const pixels = batch * width * height
  const triangleCount = triangles.length / 3
  const mesh = uploadOnce(backend, triangles)
  const points = makeGpuTensor(backend, clip.shape, 'float32')
  const ids = makeGpuTensor(backend, [batch, height, width], 'int32')
  const depth = makeGpuTensor(backend, [batch, height, width, 1], 'float32')
  const barycentrics = makeGpuTensor(backend, [batch, height, width, 3], 'float32')
  const lists = makeGpuTensor(backend, [batch * (2 + triangleCount)], 'int32')
  runGpuProgram(backend, beginProgram, {
    inputs: [clip],
    outputs: [points, depth, ids, lists],
    uniforms: [batch * count, pixels, 2 * batch, width, height],
    workgroups: workgroupsFor(Math.max(batch * count, pixels, 2 * batch), 64),
  })
  const tiles = tilesFor(width, height, batch)
  // A tile tests every triangle of the list: worth it for triangles that would keep one thread busy for longer.
  const small = Math.max(tuning.smallest, Math.ceil(tiles[0] * tiles[1] * tuning.perTile))
  const sizes = [batch, count, triangleCount, width, height, CULLS.indexOf(cull)]
  const groups = Math.ceil(triangleCount / SCAN_SIZE)
  for (const phase of triangleCount === 0 ? [] : [0, 1]) {
    const wanted = phase === 0 ? groups : Math.min(groups, Math.ceil(FULL / batch))
    const columns = Math.min(wanted, MOST_GROUPS)
    runGpuProgram(backend, scanProgram, {
      inputs: [points, mesh],
      outputs: [depth, ids, lists],
      uniforms: [phase, ...sizes, small],
      workgroups: [columns, batch, Math.ceil(wanted / columns)],
    })
  }
  runGpuProgram(backend, resolveProgram, {
    inputs: [clip, points, mesh, lists],
    outputs: [ids, depth, barycentrics],
    uniforms: sizes,
    workgroups: tiles,
  })
  for (const { dataId } of [points, lists]) backend.disposeData(dataId)
  return [ids, barycentrics, depth]
}
