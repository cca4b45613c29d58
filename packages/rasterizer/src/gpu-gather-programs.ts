import type { GpuProgram } from '@facekit/core'
import { MANY_TRIANGLES } from './gpu-constants.js'
import { BITS, SIDE_BITS, UNSEEN } from './gpu-footprints.js'

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

/** Its programs, in the order in which they run. */
export interface GatherPrograms {
  reduce: GpuProgram
  gather: GpuProgram
  team: GpuProgram
}

const REDUCE_SIZE = 64
const TEAM_SIZE = 256
/** Vertices and threads for each of them in a workgroup of 256. */
export const verticesFor = (lanes: number) => 256 / lanes
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
}: Gathering): GatherPrograms {
  const declarations = each(sums, (k) => `var<private> sum${k}: f32;`)
  const places = parts * sums
  const ofTriangle = /* wgsl */ `
        fn isSeen(item: i32, f: i32) -> bool {
          let row = uniforms.batch * uniforms.triangleCount + 1 + item * ((uniforms.triangleCount + ${BITS - 1}) / ${BITS}) + f / ${BITS};
          return ((boxes[row][(f >> 5u) & 3] >> u32(f & 31)) & 1) == 1;
        }
        /** Adds what one thread can add up. */
        fn addTriangle(item: i32, f: i32, corner: i32, part: i32) {
          let box = boxes[item * uniforms.triangleCount + f];
          if (box.x == ${UNSEEN}) { return; }
          if (box.x < 0) {
            for (var task = 0; task < box.w; task++) {
              let record = (3 * (task - 1 - box.x) + corner) * ${places} + part * ${sums};
              ${each(sums, (k) => `sum${k} += records[record + ${k}];`)}
            }
            return;
          }
          begin(item, f, corner, part);
          for (var row = box.x; row <= -box.z; row++) {
            for (var column = box.y; column <= -box.w; column++) {
              let q = (item * uniforms.height + row) * uniforms.width + column;
              if (ids[q] == f) { add(q, column, row); }
            }
          }
        }`
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
        ${ofTriangle}
        @compute @workgroup_size(${vertices}, ${lanes})
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
          let vertex = i32(group.x * ${vertices}u + local.x);
          let part = i32(group.z);
          // Else all are for workgroups.
          if (boxes[uniforms.batch * uniforms.triangleCount].x > uniforms.capacity) { return; }
          var first = 0;
          var last = 0;
          if (vertex < uniforms.vertexCount) {
            first = adjacency[vertex];
            last = adjacency[vertex + 1];
          }
          let own = vertex < uniforms.vertexCount && last - first <= ${MANY_TRIANGLES};
          if (own) {
            ${
              lanes > 1
                ? `for (var item = i32(local.y); item < uniforms.batch; item += ${lanes}) {`
                : '{ let item = i32(group.y);'
            }
              // First which are seen, so that threads side by side add theirs at the same time.
              for (var start = first; start < last; start += 32) {
                var seen = 0u;
                for (var i = start; i < min(last, start + 32); i++) {
                  if (isSeen(item, adjacency[i] >> 2u)) { seen |= 1u << u32(i - start); }
                }
                while (seen != 0u) {
                  let entry = adjacency[start + i32(firstTrailingBit(seen))];
                  seen &= seen - 1u;
                  addTriangle(item, entry >> 2u, entry & 3, part);
                }
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
          if (own) { finish(i32(group.y), vertex, part); }
        }`,
    },
    team: {
      name: `${name}_team`,
      inputs: ['adjacency: i32', 'boxes: vec4<i32>', 'ids: i32', 'records: f32', ...inputs],
      outputs: [output],
      uniforms: [...UNIFORMS, ...uniforms],
      code: /* wgsl */ `${declarations}
        var<workgroup> all: array<f32, ${TEAM_SIZE * sums}>;
        var<workgroup> totals: array<f32, ${sums}>;
        ${code}
        ${finish}
        ${ofTriangle}
        /** Adds this thread's share of a large box. */
        fn addShare(item: i32, f: i32, corner: i32, part: i32, local: i32) {
          let box = boxes[item * uniforms.triangleCount + f];
          if (box.x == ${UNSEEN} || box.x >= 0) { return; }
          let top = box.y >> ${SIDE_BITS};
          let left = box.y & ${2 ** SIDE_BITS - 1};
          let columns = (box.z & ${2 ** SIDE_BITS - 1}) - left + 1;
          let pixels = columns * ((box.z >> ${SIDE_BITS}) - top + 1);
          begin(item, f, corner, part);
          for (var i = local; i < pixels; i += ${TEAM_SIZE}) {
            let row = top + i / columns;
            let column = left + i % columns;
            let q = (item * uniforms.height + row) * uniforms.width + column;
            if (ids[q] == f) { add(q, column, row); }
          }
        }
        @compute @workgroup_size(${TEAM_SIZE})
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let part = i32(group.z);
          let crowded = boxes[uniforms.batch * uniforms.triangleCount].x > uniforms.capacity;
          let many = uniforms.vertexCount + 1 + 3 * uniforms.triangleCount;
          let perItem = select(adjacency[many], uniforms.vertexCount, crowded);
          let jobs = perItem * ${lanes > 1 ? '1' : 'uniforms.batch'};
          for (var job = i32(group.x); job < jobs; job += i32(groups.x)) {
            let own = job / perItem;
            var vertex = job % perItem;
            if (!crowded) { vertex = adjacency[many + 1 + vertex]; }
            let first = adjacency[vertex];
            let last = adjacency[vertex + 1];
            ${each(sums, (k) => `sum${k} = 0.0;`)}
            ${lanes > 1 ? 'for (var item = 0; item < uniforms.batch; item++) {' : '{ let item = own;'}
              for (var i = first + i32(local); i < last; i += ${TEAM_SIZE}) {
                let entry = adjacency[i];
                let f = entry >> 2u;
                if (isSeen(item, f) && !(crowded && boxes[item * uniforms.triangleCount + f].x < 0)) {
                  addTriangle(item, f, entry & 3, part);
                }
              }
              if (crowded) {
                for (var i = first; i < last; i++) {
                  let entry = adjacency[i];
                  if (isSeen(item, entry >> 2u)) { addShare(item, entry >> 2u, entry & 3, part, i32(local)); }
                }
              }
            }
            ${each(sums, (k) => `all[${sums}u * local + ${k}u] = sum${k};`)}
            workgroupBarrier();
            if (local < ${sums}u) {
              var total = 0.0;
              for (var i = 0u; i < ${TEAM_SIZE}u; i++) { total += all[${sums}u * i + local]; }
              totals[local] = total;
            }
            workgroupBarrier();
            if (local == 0u) {
              ${each(sums, (k) => `sum${k} = totals[${k}];`)}
              finish(${lanes > 1 ? '0' : 'own'}, vertex, part);
            }
            workgroupBarrier();
          }
        }`,
    },
  }
}
