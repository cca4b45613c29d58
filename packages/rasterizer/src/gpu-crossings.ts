import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { topologyLinks, uploadOnce } from './gpu-constants.js'
import { facingOf, projectOnGpu } from './gpu-project.js'
import { edgeFunctions, entry, GROUP_SIZE, linearIndex } from './gpu-snippets.js'
import type { Topology } from './topology.js'

/* Contributor notes
 *
 * The search of crossings.ts, one thread for each pair of neighbours. Silhouettes are not marked first: the walks run side by
 * side, and most of them end after a step or two.
 */

/** Triangles of one walk, as in find-crossing.ts. */
const LONGEST_WALK = 64
/** In place of where a crossing is: nowhere. */
export const NO_CROSSING = 4

const program: GpuProgram = {
  name: 'facekit_crossings',
  inputs: ['points: vec4<f32>', 'triangles: i32', 'links: i32', 'ids: i32', 'depth: f32'],
  outputs: ['places: f32', 'codes: i32'],
  uniforms: ['pixels: i32', 'vertexCount: i32', 'width: i32', 'height: i32'],
  code: /* wgsl */ `${linearIndex}${edgeFunctions}${facingOf}
    struct Corner { point: vec4<f32>, near: vec2<f32>, far: vec2<f32> }
    fn cornerOf(point: vec4<f32>, offset: vec2<f32>, beyond: vec2<f32>) -> Corner {
      return Corner(point, fma(vec2<f32>(point.w), offset, point.xy), fma(vec2<f32>(point.w), beyond, point.xy));
    }
    /** Where the line leaves over an edge, seen from inside; 2 when it does not. */
    fn exitAt(p: Corner, q: Corner, inside: f32) -> f32 {
      let e = differenceOfProducts(vec3<f32>(p.near.x, p.far.x, 0.0), vec3<f32>(q.near.y, q.far.y, 0.0),
        vec3<f32>(p.near.y, p.far.y, 0.0), vec3<f32>(q.near.x, q.far.x, 0.0));
      let difference = e.x - e.y;
      return select(2.0, e.x / difference, difference * inside > 0.0);
    }
    /** Whether an edge is nearer to the vertical. */
    fn isUpright(p: vec4<f32>, q: vec4<f32>) -> bool {
      let normal = abs(differenceOfProducts(vec3<f32>(p.y, p.w, 0.0), vec3<f32>(q.w, q.x, 0.0),
        vec3<f32>(p.w, p.x, 0.0), vec3<f32>(q.y, q.w, 0.0)));
      return normal.x >= normal.y;
    }
    /** The side of a triangle whose corner number turn is a; computed from its own first corner on, so that all agree. */
    fn sideOf(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, turn: i32) -> i32 {
      let x = vec3<f32>(a.x, b.x, c.x);
      let y = vec3<f32>(a.y, b.y, c.y);
      let w = vec3<f32>(a.w, b.w, c.w);
      if (turn == 1) { return facingOf(x.zxy, y.zxy, w.zxy); }
      if (turn == 2) { return facingOf(x.yzx, y.yzx, w.yzx); }
      return facingOf(x, y, w);
    }
    struct Crossing { half: i32, place: f32 }
    /** The half edge where the surface ends, -1 when it does not. */
    fn findCrossing(first: i32, start: i32, goal: i32, offset: vec2<f32>, stride: vec2<f32>) -> Crossing {
      let none = Crossing(-1, 0.0);
      let beyond = offset - stride;
      var triangle = start;
      // Number of corner a in the triangle. The line came in over the edge from b to c.
      var turn = 0;
      var a = cornerOf(points[first + triangles[3 * triangle]], offset, beyond);
      var b = cornerOf(points[first + triangles[3 * triangle + 1]], offset, beyond);
      var c = cornerOf(points[first + triangles[3 * triangle + 2]], offset, beyond);
      var side = sideOf(a.point, b.point, c.point, 0);
      var place = exitAt(b, c, f32(side));
      for (var walk = 0; walk < ${LONGEST_WALK}; walk++) {
        // The nearest of the edges that it crosses outwards.
        var exit = turn;
        var p = b;
        var q = c;
        let second = exitAt(c, a, f32(side));
        let third = exitAt(a, b, f32(side));
        if (second < place) {
          place = second;
          exit = turn + 1;
          p = c;
          q = a;
        }
        if (third < place) {
          place = third;
          exit = turn + 2;
          p = a;
          q = b;
        }
        if (!(place >= 0.0 && place <= 1.0)) { return none; }
        let half = 3 * triangle + exit % 3;
        let link = links[half];
        var ends = link < 0;
        if (!ends) {
          let opposite = link >> 1u;
          let flipped = (link & 1) == 1;
          triangle = opposite / 3;
          turn = opposite - 3 * triangle;
          a = cornerOf(points[first + triangles[opposite]], offset, beyond);
          b = q;
          c = p;
          if (flipped) {
            b = p;
            c = q;
          }
          let next = sideOf(a.point, b.point, c.point, turn);
          ends = select(side * next, -side * next, flipped) < 0;
          side = next;
        }
        if (ends) {
          if (isUpright(p.point, q.point) == (stride.x != 0.0)) { return Crossing(half, place); }
          return none;
        }
        if (triangle == goal) { return none; }
        place = 2.0;
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
 * @param inputs - clip, ids and depth
 * @returns places `[B, H, W, 2]` float32: where the edge crosses the line between the two centres, 0 at the nearer one to 1, with
 * the sign bit set when the nearer one is the neighbour, `NO_CROSSING` where there is none; codes `[B, H, W, 2]` int32: twice the half
 * edge, plus 1 where the nearer one is the pixel itself, -1 where there is none
 */
export function crossingsOnGpu(
  backend: KernelBackend,
  [clip, ids, depth]: TensorInfo[],
  { topology }: { topology: Topology },
): TensorInfo[] {
  const [batch, height, width] = ids.shape
  const places = makeGpuTensor(backend, [...ids.shape, 2], 'float32')
  const codes = makeGpuTensor(backend, [...ids.shape, 2], 'int32')
  const points = projectOnGpu(backend, clip, width, height)
  const mesh = uploadOnce(backend, topology.triangles)
  const links = uploadOnce(backend, topologyLinks(topology))
  runGpuProgram(backend, program, {
    inputs: [points, mesh, links, ids, depth],
    outputs: [places, codes],
    uniforms: [batch * height * width, topology.vertexCount, width, height],
    workgroups: workgroupsFor(2 * batch * height * width, GROUP_SIZE),
  })
  backend.disposeData(points.dataId)
  return [places, codes]
}
