import type { GpuProgram } from '@facekit/kernels'
import { MANY_TRIANGLES } from './constants.js'
import { addTriangle, declareSums, each, GATHER_UNIFORMS, type Gathering } from './gathering.js'

/** Vertices in a workgroup of 256. */
export const verticesFor = (lanes: number) => 256 / lanes

/** Adds up for each vertex: a thread, or a few that share the pictures. */
export function verticesProgram(gathering: Gathering): GpuProgram {
  const { name, inputs, output, uniforms, sums, lanes, code, finish } = gathering
  const vertices = verticesFor(lanes)
  return {
    name: `${name}_gather`,
    inputs: ['adjacency: i32', 'boxes: vec4<i32>', 'ids: i32', 'records: f32', ...inputs],
    outputs: [output],
    uniforms: [...GATHER_UNIFORMS, ...uniforms],
    code: /* wgsl */ `${declareSums(gathering)}
        ${lanes > 1 ? `var<workgroup> all: array<f32, ${vertices * (lanes - 1) * sums}>;` : ''}
        ${code}
        ${finish}
        ${addTriangle(gathering)}
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
  }
}
