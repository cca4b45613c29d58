import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { linearIndex } from './gpu-snippets.js'

/** Where triangles are seen: what gradients of vertices are gathered by. See the notes in gpu-gather.ts. */
export interface Footprints {
  /** For each triangle of each picture the box of the pixels that show it, -1 / 4 of an int32 `[B * F + 1, 4]`:
   * first row, first column, -last row, -last column; `UNSEEN` in the first place when there are none. When the box is large, the
   * first place is -1 minus the first of its tasks, then come its first row and column and its last row and column, packed, and
   * the number of its tasks. The very last number is the number of tasks, which is void when it is above `capacity`. */
  boxes: TensorInfo
  /** `[capacity, 5]`: triangle in the batch, first row, rows, first column, columns. */
  tasks: TensorInfo
  capacity: number
}

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

const listProgram: GpuProgram = {
  name: 'facekit_footprints_list',
  inputs: [],
  outputs: ['boxes: atomic<i32>', 'tasks: i32'],
  uniforms: ['count: u32', 'capacity: i32', 'chunk: i32'],
  code: /* wgsl */ `${linearIndex(64)}
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) local: u32) {
      let index = linearIndex(group, groups, local);
      if (index >= uniforms.count) { return; }
      let box = 4u * index;
      let top = atomicLoad(&boxes[box]);
      if (top == ${UNSEEN}) { return; }
      let left = atomicLoad(&boxes[box + 1u]);
      let bottom = -atomicLoad(&boxes[box + 2u]);
      let right = -atomicLoad(&boxes[box + 3u]);
      let columns = right - left + 1;
      if (columns * (bottom - top + 1) <= ${LARGE}) { return; }
      let rows = max(1, uniforms.chunk / columns);
      let parts = (bottom - top + rows) / rows;
      let first = atomicAdd(&boxes[4u * uniforms.count], parts);
      atomicStore(&boxes[box], -1 - first);
      atomicStore(&boxes[box + 1u], (top << ${SIDE_BITS}) | left);
      atomicStore(&boxes[box + 2u], (bottom << ${SIDE_BITS}) | right);
      atomicStore(&boxes[box + 3u], parts);
      if (first + parts > uniforms.capacity) { return; }
      for (var part = 0; part < parts; part++) {
        let task = 5 * (first + part);
        tasks[task] = i32(index);
        tasks[task + 1] = top + part * rows;
        tasks[task + 2] = min(rows, bottom + 1 - top - part * rows);
        tasks[task + 3] = left;
        tasks[task + 4] = columns;
      }
    }`,
}

/** Finds where triangles are seen in `[B, H, W]` indices; the caller disposes of both tensors. */
export function footprintsOnGpu(backend: KernelBackend, ids: TensorInfo, triangleCount: number): Footprints {
  const [batch, height, width] = ids.shape
  const count = batch * triangleCount
  const capacity = 1024 + Math.ceil((batch * height * width) / 16)
  const boxes = makeGpuTensor(backend, [count + 1, 4], 'int32')
  const tasks = makeGpuTensor(backend, [capacity, 5], 'int32')
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
  // At most about 64 tasks for a triangle that fills the picture.
  const chunk = Math.max(1024, Math.ceil((height * width) / 64))
  runGpuProgram(backend, listProgram, {
    inputs: [],
    outputs: [boxes, tasks],
    uniforms: [count, capacity, chunk],
    workgroups: workgroupsFor(count, 64),
  })
  return { boxes, tasks, capacity }
}
