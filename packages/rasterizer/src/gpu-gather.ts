import { makeGpuTensor, runGpuProgram, type GpuProgram } from '@facekit/core'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { uploadOnce, vertexTriangles } from './gpu-constants.js'
import { BITS, footprintsOnGpu, SIDE_BITS, UNSEEN } from './gpu-footprints.js'

/* Contributor notes
 *
 * WGSL has no atomic float additions, and those of other languages give another sum in each run. So nothing is scattered
 * here: each vertex gathers, over its triangles in their order and over the pixels that show them in theirs, in float32. That is the same
 * sum in each run, of any magnitude, in one pass.
 *
 * The pixels of a triangle are found in the box of those that show it (gpu-footprints.ts). In a fine mesh most triangles are
 * seen at no pixel or at one. A large box is split into tasks of some rows each, which workgroups add up before (one task, one corner
 * of its triangle); the vertices then add the tasks' sums. Should there be more tasks than places, which takes very many triangles that
 * are seen here and there in large boxes, vertices look through all boxes themselves: slow, but the same sum in each run as well.
 */

/** What is gathered for vertices. */
export interface Gathering {
  name: string
  /** Inputs besides ids, boxes, tasks, adjacency and records; the first two programs of a stage have 8 storage buffers at most. */
  inputs: readonly string[]
  output: string
  uniforms: readonly string[]
  /** Numbers that are added up at a time. */
  sums: number
  /** Parts that all numbers come in: `part` says which. */
  parts: number
  /** Threads that share a vertex when all pictures are added up; 1 when each picture has vertices of its own. */
  lanes: 1 | 4 | 16
  /** WGSL: `fn begin(item: i32, f: i32, corner: i32, part: i32)`, called for a corner of a triangle, `fn add(q: i32, column: i32, row: i32)` for
   * each of its pixels, which adds to `sum0`, `sum1`, ... */
  code: string
  /** WGSL: `fn finish(item: i32, vertex: i32, part: i32)`, which writes the sums. */
  finish: string
}

interface Programs {
  reduce: GpuProgram
  gather: GpuProgram
}

const REDUCE_SIZE = 64
/** Vertices and threads for each of them in a workgroup of 256. */
const verticesFor = (lanes: number) => 256 / lanes
const UNIFORMS = [
  'batch: i32',
  'vertexCount: i32',
  'triangleCount: i32',
  'width: i32',
  'height: i32',
  'capacity: i32',
]

/** Lines for each of `count` indices. */
export const each = (count: number, line: (k: number) => string): string =>
  Array.from({ length: count }, (_, k) => line(k)).join('\n')

/** Makes the two programs of a gathering. */
export function gatherPrograms({
  name,
  inputs,
  output,
  uniforms,
  sums,
  parts,
  lanes,
  code,
  finish,
}: Gathering): Programs {
  const declarations = each(sums, (k) => `var<private> sum${k}: f32;`)
  const places = parts * sums
  const vertices = verticesFor(lanes)
  return {
    reduce: {
      name: `${name}_reduce`,
      inputs: ['boxes: vec4<i32>', 'tasks: i32', 'ids: i32', ...inputs],
      outputs: ['records: f32'],
      uniforms: [...UNIFORMS, ...uniforms],
      code: /* wgsl */ `${declarations}
        var<workgroup> all: array<f32, ${REDUCE_SIZE * sums}>;
        ${code}
        @compute @workgroup_size(${REDUCE_SIZE})
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let count = boxes[uniforms.batch * uniforms.triangleCount].x;
          if (count > uniforms.capacity) { return; }
          let corner = i32(group.y);
          let part = i32(group.z);
          for (var task = i32(group.x); task < count; task += i32(groups.x)) {
            let job = tasks[5 * task];
            let item = job / uniforms.triangleCount;
            let f = job % uniforms.triangleCount;
            let columns = tasks[5 * task + 4];
            let pixels = columns * tasks[5 * task + 2];
            ${each(sums, (k) => `sum${k} = 0.0;`)}
            begin(item, f, corner, part);
            for (var i = i32(local); i < pixels; i += ${REDUCE_SIZE}) {
              let row = tasks[5 * task + 1] + i / columns;
              let column = tasks[5 * task + 3] + i % columns;
              let q = (item * uniforms.height + row) * uniforms.width + column;
              if (ids[q] == f) { add(q, column, row); }
            }
            ${each(sums, (k) => `all[${sums}u * local + ${k}u] = sum${k};`)}
            workgroupBarrier();
            for (var k = local; k < ${sums}u; k += ${REDUCE_SIZE}u) {
              var total = 0.0;
              for (var i = 0u; i < ${REDUCE_SIZE}u; i++) { total += all[${sums}u * i + k]; }
              records[(3 * task + corner) * ${places} + part * ${sums} + i32(k)] = total;
            }
            workgroupBarrier();
          }
        }`,
    },
    gather: {
      name: `${name}_gather`,
      inputs: ['adjacency: i32', 'boxes: vec4<i32>', 'ids: i32', 'records: f32', ...inputs],
      outputs: [output],
      uniforms: [...UNIFORMS, ...uniforms],
      code: /* wgsl */ `${declarations}
        ${lanes > 1 ? `var<workgroup> all: array<f32, ${vertices * (lanes - 1) * sums}>;` : ''}
        ${code}
        ${finish}
        fn addTriangle(item: i32, f: i32, corner: i32, part: i32, reduced: bool) {
          let seen = uniforms.batch * uniforms.triangleCount + 1 + item * ((uniforms.triangleCount + ${BITS - 1}) / ${BITS}) + f / ${BITS};
          if (((boxes[seen][(f >> 5u) & 3] >> u32(f & 31)) & 1) == 0) { return; }
          var box = boxes[item * uniforms.triangleCount + f];
          if (box.x == ${UNSEEN}) { return; }
          if (box.x < 0) {
            if (reduced) {
              for (var task = 0; task < box.w; task++) {
                let record = (3 * (task - 1 - box.x) + corner) * ${places} + part * ${sums};
                ${each(sums, (k) => `sum${k} += records[record + ${k}];`)}
              }
              return;
            }
            box = vec4<i32>(box.y >> ${SIDE_BITS}, box.y & ${2 ** SIDE_BITS - 1}, -(box.z >> ${SIDE_BITS}), -(box.z & ${2 ** SIDE_BITS - 1}));
          }
          begin(item, f, corner, part);
          for (var row = box.x; row <= -box.z; row++) {
            for (var column = box.y; column <= -box.w; column++) {
              let q = (item * uniforms.height + row) * uniforms.width + column;
              if (ids[q] == f) { add(q, column, row); }
            }
          }
        }
        @compute @workgroup_size(${vertices}, ${lanes})
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
          let vertex = i32(group.x * ${vertices}u + local.x);
          let part = i32(group.z);
          let reduced = boxes[uniforms.batch * uniforms.triangleCount].x <= uniforms.capacity;
          if (vertex < uniforms.vertexCount) {
            let first = adjacency[vertex];
            let last = adjacency[vertex + 1];
            ${
              lanes > 1
                ? `for (var item = i32(local.y); item < uniforms.batch; item += ${lanes}) {`
                : '{ let item = i32(group.y);'
            }
              for (var i = first; i < last; i++) {
                let entry = adjacency[i];
                addTriangle(item, entry >> 2u, entry & 3, part, reduced);
              }
            }
          }
          ${
            lanes > 1
              ? `if (local.y > 0u) {
                let place = ((local.y - 1u) * ${vertices}u + local.x) * ${sums}u;
                ${each(sums, (k) => `all[place + ${k}u] = sum${k};`)}
              }
              workgroupBarrier();
              if (local.y > 0u) { return; }
              for (var lane = 0u; lane < ${lanes - 1}u; lane++) {
                let place = (lane * ${vertices}u + local.x) * ${sums}u;
                ${each(sums, (k) => `sum${k} += all[place + ${k}u];`)}
              }`
              : ''
          }
          if (vertex < uniforms.vertexCount) { finish(i32(group.y), vertex, part); }
        }`,
    },
  }
}

/** Runs a gathering over `[B, H, W]` indices.
 *
 * @param footprints - those of the indices, or none, when they are to be found
 */
export function gather(
  backend: KernelBackend,
  gathering: Gathering,
  programs: Programs,
  ids: TensorInfo,
  triangles: Int32Array,
  vertexCount: number,
  inputs: readonly TensorInfo[],
  uniforms: readonly number[],
  output: TensorInfo,
  footprints: readonly TensorInfo[],
): void {
  if (util.sizeFromShape(output.shape) === 0) return
  const { parts, sums, lanes } = gathering
  const [batch, height, width] = ids.shape
  const triangleCount = triangles.length / 3
  const known = footprints.length > 0
  const [boxes, tasks] = known ? footprints : footprintsOnGpu(backend, ids, triangleCount)
  const [capacity] = tasks.shape
  const records = makeGpuTensor(backend, [capacity * 3 * parts * sums], 'float32')
  const values = [batch, vertexCount, triangleCount, width, height, capacity, ...uniforms]
  runGpuProgram(backend, programs.reduce, {
    inputs: [boxes, tasks, ids, ...inputs],
    outputs: [records],
    uniforms: values,
    // A large box has more pixels than that.
    workgroups: [Math.min(1024, Math.ceil((batch * height * width) / 128)), 3, parts],
  })
  runGpuProgram(backend, programs.gather, {
    inputs: [uploadOnce(backend, vertexTriangles(triangles, vertexCount)), boxes, ids, records, ...inputs],
    outputs: [output],
    uniforms: values,
    workgroups: [Math.ceil(vertexCount / verticesFor(lanes)), lanes > 1 ? 1 : batch, parts],
  })
  for (const { dataId } of known ? [records] : [boxes, tasks, records]) backend.disposeData(dataId)
}
