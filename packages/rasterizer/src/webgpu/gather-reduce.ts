import type { GpuProgram } from '@facekit/kernels'
import { declareSums, each, GATHER_UNIFORMS, type Gathering } from './gathering.js'

const REDUCE_SIZE = 64

/** Adds up large boxes: a workgroup for each task and corner of its triangle. */
export function reduceProgram(gathering: Gathering): GpuProgram {
  const { name, inputs, uniforms, sums, parts, code } = gathering
  return {
    name: `${name}_reduce`,
    inputs: ['boxes: vec4<i32>', 'tasks: i32', 'ids: i32', ...inputs],
    outputs: ['records: f32'],
    uniforms: [...GATHER_UNIFORMS, ...uniforms],
    code: /* wgsl */ `${declareSums(gathering)}
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
              records[(3 * task + corner) * ${parts * sums} + part * ${sums} + i32(k)] = total;
            }
            workgroupBarrier();
          }
        }`,
  }
}
