import type { GpuProgram } from '@facekit/kernels'
import { SIDE_BITS, UNSEEN } from './footprints.js'
import { addTriangle, declareSums, each, GATHER_UNIFORMS, type Gathering } from './gathering.js'

const TEAM_SIZE = 256

/** Adds up for a vertex with a whole workgroup: for those of very many triangles, and for all when there were too many tasks. */
export function teamProgram(gathering: Gathering): GpuProgram {
  const { name, inputs, output, uniforms, sums, lanes, code, finish } = gathering
  return {
    name: `${name}_team`,
    inputs: ['adjacency: i32', 'boxes: vec4<i32>', 'ids: i32', 'records: f32', ...inputs],
    outputs: [output],
    uniforms: [...GATHER_UNIFORMS, ...uniforms],
    code: /* wgsl */ `${declareSums(gathering)}
        var<workgroup> all: array<f32, ${TEAM_SIZE * sums}>;
        var<workgroup> totals: array<f32, ${sums}>;
        ${code}
        ${finish}
        ${addTriangle(gathering)}
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
  }
}
