import { type GpuProgram, int32, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { entry, GROUP_SIZE, linearIndex } from './snippets.js'

/* Contributor notes
 *
 * Footprints say where triangles are seen: what gradients of vertices are gathered by (gather.ts). They are two tensors.
 *
 * `boxes`, int32 `[R, 4]`: for each triangle of each picture a box that holds all pixels that show it: first row, first column,
 * -last row, -last column; `UNSEEN` in the first place when there are none. When the box is large, the first place is -1 minus the first
 * of its tasks, then come its first row and column and its last row and column, packed, and the number of its tasks. The
 * row behind the boxes begins with the number of tasks, which are void when there are more than places for them. The rows behind that
 * have 128 bits each, one for a triangle, each picture beginning a new row: 0 when the triangle is not seen, and its box means nothing.
 *
 * `tasks`, int32 `[capacity, 5]`: triangle in the batch, first row, rows, first column, columns.
 *
 * The rasterizer makes them on its way when a gradient is going to be asked for. For fragments of unknown origin they are found from the
 * indices.
 */

/** In place of a box: none. */
export const UNSEEN = 0x7fffffff
/** A side has at most 2^14 pixels. */
export const SIDE_BITS = 14
/** Triangles in a row of bits. */
export const BITS = 128
/** Pixels of a box that one thread looks through. */
const LARGE = 128

const clearProgram: GpuProgram = {
  name: 'facekit_footprints_clear',
  inputs: [],
  outputs: ['boxes: vec4<i32>'],
  uniforms: ['count: u32'],
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let index = linearIndex(group, groups, local);
      if (index < uniforms.count) { boxes[index] = vec4<i32>(${UNSEEN}); }
      if (index == uniforms.count) { boxes[index] = vec4<i32>(0); }
    }`,
}

/** Of pixels of one triangle side by side only the outermost count, so few threads meet at a large one. */
const markProgram: GpuProgram = {
  name: 'facekit_footprints_mark',
  inputs: ['ids: i32'],
  outputs: ['boxes: atomic<i32>'],
  uniforms: ['pixels: i32', 'triangleCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `${linearIndex}
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      let q = i32(linearIndex(group, groups, local));
      if (q >= uniforms.pixels) { return; }
      let id = ids[q];
      if (id < 0) { return; }
      let column = q % uniforms.width;
      let row = q / uniforms.width % uniforms.height;
      let box = 4 * (q / (uniforms.width * uniforms.height) * uniforms.triangleCount + id);
      if (row == 0 || ids[q - uniforms.width] != id) { atomicMin(&boxes[box], row); }
      if (column == 0 || ids[q - 1] != id) { atomicMin(&boxes[box + 1], column); }
      if (row + 1 == uniforms.height || ids[q + uniforms.width] != id) { atomicMin(&boxes[box + 2], -row); }
      if (column + 1 == uniforms.width || ids[q + 1] != id) { atomicMin(&boxes[box + 3], -column); }
    }`,
}

/** WGSL: splits the box of one triangle into tasks, if it is large. */
const list = /* wgsl */ `
    fn list(index: i32) {
      let box = 4 * index;
      let top = atomicLoad(&boxes[box]);
      if (top == ${UNSEEN}) { return; }
      let left = atomicLoad(&boxes[box + 1]);
      let bottom = -atomicLoad(&boxes[box + 2]);
      let right = -atomicLoad(&boxes[box + 3]);
      let columns = right - left + 1;
      if (columns * (bottom - top + 1) <= ${LARGE}) { return; }
      let rows = max(1, uniforms.chunk / columns);
      let parts = (bottom - top + rows) / rows;
      let first = atomicAdd(&boxes[4 * uniforms.batch * uniforms.triangleCount], parts);
      atomicStore(&boxes[box], -1 - first);
      atomicStore(&boxes[box + 1], (top << ${SIDE_BITS}) | left);
      atomicStore(&boxes[box + 2], (bottom << ${SIDE_BITS}) | right);
      atomicStore(&boxes[box + 3], parts);
      if (first + parts > uniforms.capacity) { return; }
      for (var part = 0; part < parts; part++) {
        let task = 5 * (first + part);
        tasks[task] = index;
        tasks[task + 1] = top + part * rows;
        tasks[task + 2] = min(rows, bottom + 1 - top - part * rows);
        tasks[task + 3] = left;
        tasks[task + 4] = columns;
      }
    }`

/** For the triangles on the lists of scan.ts: on both, or (`hits` is 0) when only large triangles can have large boxes. */
const listProgram: GpuProgram = {
  name: 'facekit_footprints_list',
  inputs: ['lists: i32'],
  outputs: ['boxes: atomic<i32>', 'tasks: i32'],
  uniforms: ['batch: i32', 'triangleCount: i32', 'capacity: i32', 'chunk: i32', 'hits: i32'],
  code: /* wgsl */ `${list}
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) invocation: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
      let item = i32(invocation.y);
      let first = item * uniforms.triangleCount;
      let large = lists[2 * item + 1];
      let count = large + uniforms.hits * lists[2 * item];
      for (var i = i32(invocation.x); i < count; i += i32(groups.x) * 64) {
        let place = select(i - large, uniforms.triangleCount - 1 - i, i < large);
        list(first + lists[2 * uniforms.batch + first + place]);
      }
    }`,
}

/** For all triangles, whose bits are set as well. */
const listAllProgram: GpuProgram = {
  name: 'facekit_footprints_list_all',
  inputs: [],
  outputs: ['boxes: atomic<i32>', 'tasks: i32'],
  uniforms: ['batch: i32', 'triangleCount: i32', 'capacity: i32', 'chunk: i32'],
  code: /* wgsl */ `${list}
    var<workgroup> bits: array<atomic<u32>, 4>;
    @compute @workgroup_size(${BITS})
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let item = i32(group.y);
      let row = i32(group.z * groups.x + group.x);
      let rows = (uniforms.triangleCount + ${BITS - 1}) / ${BITS};
      let f = row * ${BITS} + i32(local);
      let index = item * uniforms.triangleCount + f;
      if (f < uniforms.triangleCount) {
        if (atomicLoad(&boxes[4 * index]) != ${UNSEEN}) { atomicOr(&bits[local >> 5u], 1u << (local & 31u)); }
        list(index);
      }
      workgroupBarrier();
      if (local < 4u && row < rows) {
        let place = uniforms.batch * uniforms.triangleCount + 1 + item * rows + row;
        atomicStore(&boxes[4 * place + i32(local)], bitcast<i32>(atomicLoad(&bits[local])));
      }
    }`,
}

/** Places for tasks of pictures of so many pixels. */
const capacityFor = (pixels: number) => 1024 + Math.ceil(pixels / 8)

/** Shapes of the footprints of `[B, H, W]` indices. */
export const footprintSpecs = ([batch, height, width]: readonly number[], triangleCount: number) => ({
  boxes: int32([batch * (triangleCount + Math.ceil(triangleCount / BITS)) + 1, 4]),
  tasks: int32([capacityFor(batch * height * width), 5]),
})

/** The two tensors of footprints. */
export interface FootprintInfos {
  boxes: TensorInfo
  tasks: TensorInfo
}

/** At most about 64 tasks for a triangle that fills a picture of so many pixels. */
const chunkFor = (pixels: number) => Math.max(1024, Math.ceil(pixels / 64))

/** Splits large boxes into tasks.
 *
 * @param lists - of scan.ts
 * @param small - pixels of the largest box of triangles that are not on the list of large ones
 */
export function listTasks(
  backend: KernelBackend,
  { boxes, tasks }: FootprintInfos,
  [batch, height, width]: readonly number[],
  triangleCount: number,
  lists: TensorInfo,
  small: number,
): void {
  const groups = Math.ceil(Math.min(triangleCount / 64, 1024 / batch))
  runGpuProgram(backend, listProgram, {
    inputs: [lists],
    outputs: [boxes, tasks],
    uniforms: [batch, triangleCount, tasks.shape[0], chunkFor(height * width), small > LARGE ? 1 : 0],
    workgroups: [groups, batch],
  })
}

/** Fills the footprints of `[B, H, W]` indices. */
export function findFootprints(
  backend: KernelBackend,
  ids: TensorInfo,
  triangleCount: number,
  { boxes, tasks }: FootprintInfos,
): void {
  const [batch, height, width] = ids.shape
  const count = batch * triangleCount
  runGpuProgram(backend, clearProgram, {
    inputs: [],
    outputs: [boxes],
    uniforms: [count],
    workgroups: workgroupsFor(count + 1, GROUP_SIZE),
  })
  const pixels = batch * height * width
  runGpuProgram(backend, markProgram, {
    inputs: [ids],
    outputs: [boxes],
    uniforms: [pixels, triangleCount, width, height],
    workgroups: workgroupsFor(pixels, GROUP_SIZE),
  })
  const [columns, rows] = workgroupsFor(triangleCount, BITS)
  runGpuProgram(backend, listAllProgram, {
    inputs: [],
    outputs: [boxes, tasks],
    uniforms: [batch, triangleCount, tasks.shape[0], chunkFor(height * width)],
    workgroups: [columns, batch, rows],
  })
}

/** The footprints of fragments of unknown origin; the caller disposes of both tensors. */
export function makeFootprints(
  backend: KernelBackend,
  ids: TensorInfo,
  triangleCount: number,
): FootprintInfos {
  const { boxes, tasks } = footprintSpecs(ids.shape, triangleCount)
  const footprints = {
    boxes: makeGpuTensor(backend, [...boxes.shape], 'int32'),
    tasks: makeGpuTensor(backend, [...tasks.shape], 'int32'),
  }
  findFootprints(backend, ids, triangleCount, footprints)
  return footprints
}
