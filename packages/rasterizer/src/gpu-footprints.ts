import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { linearIndex } from './gpu-snippets.js'

/* Contributor notes
 *
 * Footprints say where triangles are seen: what gradients of vertices are gathered by (gpu-gather.ts). They are two tensors.
 *
 * `boxes`, int32 `[B * F + 1, 4]`: for each triangle of each picture a box that holds all pixels that show it: first row, first column,
 * -last row, -last column; `UNSEEN` in the first place when there are none. When the box is large, the first place is -1 minus the first
 * of its tasks, then come its first row and column and its last row and column, packed, and the number of its tasks. The very
 * last row begins with the number of tasks, which are void when there are more than places for them.
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
/** Pixels of a box that one thread looks through. */
const LARGE = 128

const clearProgram: GpuProgram = {
  name: 'facekit_footprints_clear',
  inputs: [],
  outputs: ['boxes: vec4<i32>'],
  uniforms: ['count: u32'],
  code: /* wgsl */ `${linearIndex(64)}
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
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
  uniforms: ['triangleCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) invocation: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
      let column = i32(invocation.x);
      let row = i32(group.y);
      if (column >= uniforms.width) { return; }
      let q = (i32(group.z) * uniforms.height + row) * uniforms.width + column;
      let id = ids[q];
      if (id < 0) { return; }
      let box = 4 * (i32(group.z) * uniforms.triangleCount + id);
      if (row == 0 || ids[q - uniforms.width] != id) { atomicMin(&boxes[box], row); }
      if (column == 0 || ids[q - 1] != id) { atomicMin(&boxes[box + 1], column); }
      if (row + 1 == uniforms.height || ids[q + uniforms.width] != id) { atomicMin(&boxes[box + 2], -row); }
      if (column + 1 == uniforms.width || ids[q + 1] != id) { atomicMin(&boxes[box + 3], -column); }
    }`,
}

/** Splits large boxes into tasks: those of the triangles on the lists of gpu-scan.ts, or of all. `hits` is 1 when both lists count, 0 when
 * only large triangles have large boxes. */
const makeListProgram = (listed: boolean): GpuProgram => ({
  name: listed ? 'facekit_footprints_list' : 'facekit_footprints_list_all',
  inputs: listed ? ['lists: i32'] : [],
  outputs: ['boxes: atomic<i32>', 'tasks: i32'],
  uniforms: ['batch: i32', 'triangleCount: i32', 'capacity: i32', 'chunk: i32', 'hits: i32'],
  code: /* wgsl */ `
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
    }
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) invocation: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
      let item = i32(invocation.y);
      let first = item * uniforms.triangleCount;
      ${listed ? 'let large = lists[2 * item + 1];' : ''}
      let count = ${listed ? 'large + uniforms.hits * lists[2 * item]' : 'uniforms.triangleCount'};
      for (var i = i32(invocation.x); i < count; i += i32(groups.x) * 64) {
        ${
          listed
            ? `let place = select(i - large, uniforms.triangleCount - 1 - i, i < large);
        list(first + lists[2 * uniforms.batch + first + place]);`
            : 'list(first + i);'
        }
      }
    }`,
})
const listProgram = makeListProgram(true)
const listAllProgram = makeListProgram(false)

/** Places for tasks of pictures of so many pixels. */
const capacityFor = (pixels: number) => 1024 + Math.ceil(pixels / 16)

/** Room for the footprints of `[B, H, W]` indices. */
export const makeFootprints = (
  backend: KernelBackend,
  [batch, height, width]: number[],
  triangleCount: number,
): [boxes: TensorInfo, tasks: TensorInfo] => [
  makeGpuTensor(backend, [batch * triangleCount + 1, 4], 'int32'),
  makeGpuTensor(backend, [capacityFor(batch * height * width), 5], 'int32'),
]

/** Splits large boxes into tasks.
 *
 * @param lists - of gpu-scan.ts, when there are
 * @param small - pixels of the largest box of triangles that are not on the list of large ones
 */
export function listTasks(
  backend: KernelBackend,
  [boxes, tasks]: readonly TensorInfo[],
  [batch, height, width]: number[],
  triangleCount: number,
  lists?: TensorInfo,
  small = 0,
): void {
  // At most about 64 tasks for a triangle that fills the picture.
  const chunk = Math.max(1024, Math.ceil((height * width) / 64))
  const groups = Math.ceil(triangleCount / 64)
  runGpuProgram(backend, lists ? listProgram : listAllProgram, {
    inputs: lists ? [lists] : [],
    outputs: [boxes, tasks],
    uniforms: [batch, triangleCount, tasks.shape[0], chunk, small > LARGE ? 1 : 0],
    workgroups: [Math.max(1, Math.min(groups, lists ? Math.ceil(1024 / batch) : 65535)), batch],
  })
}

/** Finds where triangles are seen in `[B, H, W]` indices; the caller disposes of both tensors. */
export function footprintsOnGpu(
  backend: KernelBackend,
  ids: TensorInfo,
  triangleCount: number,
): [boxes: TensorInfo, tasks: TensorInfo] {
  const [batch, height, width] = ids.shape
  const footprints = makeFootprints(backend, ids.shape, triangleCount)
  const [boxes] = footprints
  const count = batch * triangleCount
  runGpuProgram(backend, clearProgram, {
    inputs: [],
    outputs: [boxes],
    uniforms: [count],
    workgroups: workgroupsFor(count + 1, 64),
  })
  runGpuProgram(backend, markProgram, {
    inputs: [ids],
    outputs: [boxes],
    uniforms: [triangleCount, width, height],
    workgroups: [Math.ceil(width / 64), height, batch],
  })
  listTasks(backend, footprints, ids.shape, triangleCount)
  return footprints
}
