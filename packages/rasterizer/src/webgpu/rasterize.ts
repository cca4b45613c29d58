import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { projectVertex } from './project.js'
import { findFootprints, listTasks, type FootprintInfos } from './footprints.js'
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
}

const CULLS: readonly Cull[] = ['none', 'back', 'front']
/** A GPU is full with so many workgroups of the second phase. */
const FULL = 1024
const MOST_GROUPS = 65535

/** Bounds of the largest box, in pixels, that one thread loops over; between them half a pixel for each tile of the picture. */
const SMALL = 32
const LARGE = 1024

/** Results of `rasterizeOnGpu`. */
interface Outputs extends Partial<FootprintInfos> {
  triangleIds: TensorInfo
  barycentrics: TensorInfo
  depth: TensorInfo
}

/** `rasterize` on WebGPU, with footprints if there is room for them. See the notes in scan.ts, triangle.ts, resolve.ts and footprints.ts. */
export function rasterizeOnGpu(
  backend: KernelBackend,
  { clip }: { clip: TensorInfo },
  { triangleIds: ids, barycentrics, depth, boxes, tasks }: Outputs,
  { triangles, width, height, cull }: Attributes,
): void {
  const [batch, count] = clip.shape
  const pixels = batch * width * height
  const triangleCount = triangles.length / 3
  const mesh = gpuConstant(backend, triangles)
  const points = makeGpuTensor(backend, clip.shape, 'float32')
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
  const footprints = boxes && tasks ? { boxes, tasks } : undefined
  const traced = footprints !== undefined && triangleCount > 0 ? footprints : undefined
  const marked = traced ? [traced.boxes] : []
  for (const phase of triangleCount === 0 ? [] : [0, 1]) {
    const wanted = phase === 0 ? groups : Math.min(groups, Math.ceil(FULL / batch))
    const columns = Math.min(wanted, MOST_GROUPS)
    runGpuProgram(backend, traced ? tracedScanProgram : scanProgram, {
      inputs: [points, mesh],
      outputs: [depth, ids, lists, ...marked],
      uniforms: [phase, ...sizes, small],
      workgroups: [columns, batch, Math.ceil(wanted / columns)],
    })
  }
  runGpuProgram(backend, traced ? tracedResolveProgram : resolveProgram, {
    inputs: [clip, points, mesh, lists],
    outputs: [ids, depth, barycentrics, ...marked],
    uniforms: sizes,
    workgroups: tiles,
  })
  if (traced) listTasks(backend, traced, ids.shape, triangleCount, lists, small)
  else if (footprints) findFootprints(backend, ids, triangleCount, footprints)
  for (const { dataId } of [points, lists]) backend.disposeData(dataId)
}
