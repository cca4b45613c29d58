import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { projectVertex } from './project.js'
import { footprintsOnGpu, listTasks, makeFootprints } from './footprints.js'
import { resolveProgram, tilesFor, tracedResolveProgram } from './resolve.js'
import { SCAN_SIZE, scanProgram, tracedScanProgram } from './scan.js'
import { entry, GROUP_SIZE, linearIndex } from './snippets.js'
import { NO_KEY } from './triangle.js'
import type { Cull } from '../cpu/scan-triangles.js'

/** Projects the vertices, and clears what minima are taken of and the lengths of lists. */
const beginProgram: GpuProgram = {
  name: 'facekit_rasterize_begin',
  inputs: ['clip: vec4<f32>'],
  outputs: ['points: vec4<f32>', 'keys: i32', 'lists: i32'],
  uniforms: ['vertices: u32', 'pixels: u32', 'lengths: u32', 'width: f32', 'height: f32'],
  code: /* wgsl */ `${projectVertex}${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.vertices) {
        points[index] = projectVertex(clip[index], 0.5 * vec2<f32>(uniforms.width, uniforms.height));
      }
      if (index < uniforms.pixels) { keys[index] = ${NO_KEY}; }
      if (index < uniforms.lengths) { lists[index] = 0; }
    }`,
}

interface Attributes {
  triangles: Int32Array
  width: number
  height: number
  cull: Cull
  /** Whether to return footprints as well. */
  traced: boolean
}

const CULLS: readonly Cull[] = ['none', 'back', 'front']
/** A GPU is full with so many workgroups of the second phase. */
const FULL = 1024
const MOST_GROUPS = 65535

/** Bounds of the largest box, in pixels, that one thread loops over; between them half a pixel for each tile of the picture. */
const SMALL = 32
const LARGE = 1024

/** `rasterize` on WebGPU: ids, barycentrics and depth, and footprints when it is `traced`, of `[B, N, 4]` clip-space vertices. See the notes in gpu-scan.ts,
 * gpu-triangle.ts, gpu-resolve.ts and gpu-footprints.ts. */
export function rasterizeOnGpu(
  backend: KernelBackend,
  [clip]: TensorInfo[],
  { triangles, width, height, cull, traced }: Attributes,
): TensorInfo[] {
  const [batch, count] = clip.shape
  const pixels = batch * width * height
  const triangleCount = triangles.length / 3
  const mesh = gpuConstant(backend, triangles)
  const points = makeGpuTensor(backend, clip.shape, 'float32')
  const ids = makeGpuTensor(backend, [batch, height, width], 'int32')
  const depth = makeGpuTensor(backend, [batch, height, width, 1], 'float32')
  const barycentrics = makeGpuTensor(backend, [batch, height, width, 3], 'float32')
  const lists = makeGpuTensor(backend, [batch * (2 + triangleCount)], 'int32')
  runGpuProgram(backend, beginProgram, {
    inputs: [clip],
    outputs: [points, depth, lists],
    uniforms: [batch * count, pixels, 2 * batch, width, height],
    workgroups: workgroupsFor(Math.max(batch * count, pixels, 2 * batch), GROUP_SIZE),
  })
  const tiles = tilesFor(width, height, batch)
  // A tile tests every triangle of the list: worth it for triangles that would keep one thread busy for longer.
  const small = Math.min(LARGE, Math.max(SMALL, Math.ceil((tiles[0] * tiles[1]) / 2)))
  const sizes = [batch, count, triangleCount, width, height, CULLS.indexOf(cull)]
  const groups = Math.ceil(triangleCount / SCAN_SIZE)
  const footprints: TensorInfo[] =
    traced && triangleCount > 0 ? makeFootprints(backend, ids.shape, triangleCount) : []
  const [boxes] = footprints
  for (const phase of triangleCount === 0 ? [] : [0, 1]) {
    const wanted = phase === 0 ? groups : Math.min(groups, Math.ceil(FULL / batch))
    const columns = Math.min(wanted, MOST_GROUPS)
    runGpuProgram(backend, boxes ? tracedScanProgram : scanProgram, {
      inputs: [points, mesh],
      outputs: boxes ? [depth, ids, lists, boxes] : [depth, ids, lists],
      uniforms: [phase, ...sizes, small],
      workgroups: [columns, batch, Math.ceil(wanted / columns)],
    })
  }
  runGpuProgram(backend, boxes ? tracedResolveProgram : resolveProgram, {
    inputs: [clip, points, mesh, lists],
    outputs: boxes ? [ids, depth, barycentrics, boxes] : [ids, depth, barycentrics],
    uniforms: sizes,
    workgroups: tiles,
  })
  if (boxes) listTasks(backend, footprints, ids.shape, triangleCount, lists, small)
  else if (traced) footprints.push(...footprintsOnGpu(backend, ids, triangleCount))
  for (const { dataId } of [points, lists]) backend.disposeData(dataId)
  return [ids, barycentrics, depth, ...footprints]
}
