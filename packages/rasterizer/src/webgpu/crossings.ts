import { type GpuProgram, gpuConstant, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { Topology } from '@facekit/mesh'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { topologyLinks } from './constants.js'
import { facingOf, projectOnGpu } from './project.js'
import { edgeFunctions, entry, GROUP_SIZE, linearIndex } from './snippets.js'

/* Contributor notes
 *
 * The search of cpu/crossings.ts, one thread for each pair of neighbours. Silhouettes are not marked first: the walks run side by
 * side, and most of them end after a step or two.
 */

/** Triangles of one walk, as in cpu/find-crossing.ts. */
const LONGEST_WALK = 64
/** In place of where a crossing is: nowhere. */
export const NO_CROSSING = 4

const program: GpuProgram = {
  name: 'facekit_crossings',
  inputs: ['points: vec4<f32>', 'triangles: i32', 'links: i32', 'ids: i32', 'depth: f32'],
  outputs: ['places: f32', 'codes: i32'],
  uniforms: ['pixels: i32', 'vertexCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `${linearIndex}${edgeFunctions}${facingOf}
    fn corners(first: i32, triangle: i32) -> mat4x3<f32> {
      return transpose(mat3x4<f32>(points[first + triangles[3 * triangle]], points[first + triangles[3 * triangle + 1]],
        points[first + triangles[3 * triangle + 2]]));
    }
    /** Whether an edge, from the vertex after a corner to the one before it, is nearer to the vertical. */
    fn isUpright(x: vec3<f32>, y: vec3<f32>, w: vec3<f32>, corner: i32) -> bool {
      let normalX = abs(differenceOfProducts(y.yzx, w.zxy, w.yzx, y.zxy));
      let normalY = abs(differenceOfProducts(w.yzx, x.zxy, x.yzx, w.zxy));
      let upright = normalX >= normalY;
      return select(select(upright.x, upright.y, corner == 1), upright.z, corner == 2);
    }
    struct Crossing { half: i32, place: f32 }
    /** The half edge where the surface ends, -1 when it does not. */
    fn findCrossing(first: i32, start: i32, goal: i32, offset: vec2<f32>, stride: vec2<f32>) -> Crossing {
      let none = Crossing(-1, 0.0);
      let beyond = offset - stride;
      var triangle = start;
      var entered = -1;
      var p = corners(first, triangle);
      var inside = facingOf(p[0], p[1], p[3]);
      for (var walk = 0; walk < ${LONGEST_WALK}; walk++) {
        let near = edgeFunctions(fma(p[3], vec3<f32>(offset.x), p[0]), fma(p[3], vec3<f32>(offset.y), p[1]));
        let far = edgeFunctions(fma(p[3], vec3<f32>(beyond.x), p[0]), fma(p[3], vec3<f32>(beyond.y), p[1]));
        let difference = near - far;
        // The line leaves the triangle by the nearest of the edges that it crosses outwards.
        let leaves = (difference * f32(inside) > vec3<f32>(0.0)) & (vec3<i32>(0, 1, 2) != vec3<i32>(entered));
        let position = select(vec3<f32>(2.0), near / difference, leaves);
        var exit = 0;
        var place = position.x;
        if (position.y < place) { exit = 1; place = position.y; }
        if (position.z < place) { exit = 2; place = position.z; }
        if (!(place >= 0.0 && place <= 1.0)) { return none; }
        let half = 3 * triangle + exit;
        let link = links[half];
        if (link < 0) {
          if (isUpright(p[0], p[1], p[3], exit) == (stride.x != 0.0)) { return Crossing(half, place); }
          return none;
        }
        let next = (link >> 1u) / 3;
        let n = corners(first, next);
        let facing = facingOf(n[0], n[1], n[3]);
        if (select(inside * facing, -inside * facing, (link & 1) == 1) < 0) {
          if (isUpright(p[0], p[1], p[3], exit) == (stride.x != 0.0)) { return Crossing(half, place); }
          return none;
        }
        if (next == goal) { return none; }
        entered = (link >> 1u) - 3 * next;
        triangle = next;
        p = n;
        inside = facing;
      }
      return none;
    }
    @compute @workgroup_size(${GROUP_SIZE})
    fn main(${entry}) {
      // One half of the workgroup takes the pairs side by side, the other those one above the other.
      let sideways = local < ${GROUP_SIZE / 2}u;
      let q = i32(linearIndex(group, groups, 0u) / 2u + local % ${GROUP_SIZE / 2}u);
      if (q >= uniforms.pixels) { return; }
      let column = q % uniforms.width;
      let row = q / uniforms.width % uniforms.height;
      let item = q / (uniforms.width * uniforms.height);
      var code = -1;
      var place = ${NO_CROSSING}.0;
      if (select(row + 1 < uniforms.height, column + 1 < uniforms.width, sideways)) {
        let other = q + select(uniforms.width, 1, sideways);
        let id = ids[q];
        let otherId = ids[other];
        if (id != otherId) {
          let here = id >= 0 && (otherId < 0 || depth[q] <= depth[other]);
          let stride = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), sideways);
          var offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
          if (!here) { offset -= stride; }
          let found = findCrossing(item * uniforms.vertexCount, select(otherId, id, here), select(id, otherId, here), offset,
            select(-stride, stride, here));
          if (found.half >= 0) {
            code = 2 * found.half + select(0, 1, here);
            place = select(-found.place, found.place, here);
          }
        }
      }
      let pair = 2 * q + select(1, 0, sideways);
      codes[pair] = code;
      places[pair] = place;
    }`,
}

/** Finds the silhouettes between neighbouring pixels, for the pairs with the right and with the lower neighbour of each pixel.
 *
 * @param outputs - places `[B, H, W, 2]` float32: where the edge crosses the line between the two centres, 0 at the nearer one to 1, with
 * the sign bit set when the nearer one is the neighbour, `NO_CROSSING` where there is none; codes `[B, H, W, 2]` int32: twice the half
 * edge, plus 1 where the nearer one is the pixel itself, -1 where there is none
 */
export function crossingsOnGpu(
  backend: KernelBackend,
  { clip, ids, depth }: Record<'clip' | 'ids' | 'depth', TensorInfo>,
  { places, codes }: Record<'places' | 'codes', TensorInfo>,
  topology: Topology,
): void {
  const [batch, height, width] = ids.shape
  const points = projectOnGpu(backend, clip, width, height)
  const mesh = gpuConstant(backend, topology.triangles)
  const links = gpuConstant(backend, topologyLinks(topology))
  runGpuProgram(backend, program, {
    inputs: [points, mesh, links, ids, depth],
    outputs: [places, codes],
    uniforms: [batch * height * width, topology.vertexCount, width, height],
    workgroups: workgroupsFor(2 * batch * height * width, GROUP_SIZE),
  })
  backend.disposeData(points.dataId)
}
