import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { topologyLinks, uploadOnce } from './gpu-constants.js'
import { facingOf, projectOnGpu } from './gpu-project.js'
import { makeOutput, runProgram, type GpuProgram } from './gpu-program.js'
import { edgeFunctions } from './gpu-snippets.js'
import type { Topology } from './topology.js'

/* Contributor notes
 *
 * The search of crossings.ts, one thread for each pair of neighbours. Silhouettes are not marked first: the walks run side by
 * side, and most of them end after a step or two. Each picture of the same fragments searches again, and so does each backward
 * pass: a list kept with the fragments, as on the CPU, would keep GPU memory until some garbage collection.
 */

/** Triangles of one walk, as in find-crossing.ts. */
const LONGEST_WALK = 64

const program: GpuProgram = {
  name: 'facekit_crossings',
  inputs: ['points*', 'triangles', 'links', 'ids', 'depth'],
  uniforms: ['vertexCount', 'width', 'height'],
  code: /* wgsl */ `${edgeFunctions}${facingOf}
    fn corners(first : i32, triangle : i32) -> mat4x3<f32> {
      return transpose(mat3x4<f32>(points[first + triangles[3 * triangle]], points[first + triangles[3 * triangle + 1]],
        points[first + triangles[3 * triangle + 2]]));
    }
    /** Whether an edge, from the vertex after a corner to the one before it, is nearer to the vertical. */
    fn isUpright(x : vec3<f32>, y : vec3<f32>, w : vec3<f32>, corner : i32) -> bool {
      let normalX = differenceOfProducts(y.yzx, w.zxy, w.yzx, y.zxy);
      let normalY = differenceOfProducts(w.yzx, x.zxy, x.yzx, w.zxy);
      return abs(normalX[corner]) >= abs(normalY[corner]);
    }
    /** The half edge where the surface ends, -1 when it does not. */
    fn findCrossing(first : i32, start : i32, goal : i32, offset : vec2<f32>, stride : vec2<f32>) -> i32 {
      var triangle = start;
      var entered = -1;
      for (var walk = 0; walk < ${LONGEST_WALK}; walk++) {
        let p = corners(first, triangle);
        let inside = facingOf(p[0], p[1], p[3]);
        let near = edgeFunctions(fma(p[3], vec3<f32>(offset.x), p[0]), fma(p[3], vec3<f32>(offset.y), p[1]));
        let beyond = offset - stride;
        let far = edgeFunctions(fma(p[3], vec3<f32>(beyond.x), p[0]), fma(p[3], vec3<f32>(beyond.y), p[1]));
        var exit = -1;
        var exitPosition = 2.0;
        for (var corner = 0; corner < 3; corner++) {
          let difference = near[corner] - far[corner];
          if (3 * triangle + corner == entered || !(difference * f32(inside) > 0.0)) { continue; }
          let position = near[corner] / difference;
          if (position < exitPosition) {
            exit = corner;
            exitPosition = position;
          }
        }
        if (exit < 0 || !(exitPosition >= 0.0 && exitPosition <= 1.0)) { return -1; }
        let half = 3 * triangle + exit;
        let link = links[half];
        let next = link >> 1u;
        var ends = link < 0;
        if (!ends) {
          let n = corners(first, next);
          let product = inside * facingOf(n[0], n[1], n[3]);
          ends = select(product, -product, (link & 1) == 1) < 0;
        }
        if (ends) { return select(-1, half, isUpright(p[0], p[1], p[3], exit) == (stride.x != 0.0)); }
        if (next == goal) { return -1; }
        entered = 3 * next + 2;
        if ((links[3 * next] >> 1u) == triangle) { entered = 3 * next; }
        else if ((links[3 * next + 1] >> 1u) == triangle) { entered = 3 * next + 1; }
        triangle = next;
      }
      return -1;
    }
    fn main(index : i32) {
      if (index >= uniforms.threads) { return; }
      let q = index / 2;
      let sideways = index % 2 == 0;
      let column = q % uniforms.width;
      let row = q / uniforms.width % uniforms.height;
      var code = -1;
      if (select(row + 1 < uniforms.height, column + 1 < uniforms.width, sideways)) {
        let other = q + select(uniforms.width, 1, sideways);
        let id = ids[q];
        let otherId = ids[other];
        if (id != otherId) {
          let here = id >= 0 && (otherId < 0 || f32(depth[q]) <= f32(depth[other]));
          let stride = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), sideways);
          var offset = 0.5 * vec2<f32>(vec2<i32>(uniforms.width - 1 - 2 * column, uniforms.height - 1 - 2 * row));
          if (!here) { offset -= stride; }
          let first = q / (uniforms.width * uniforms.height) * uniforms.vertexCount;
          let half = findCrossing(first, select(otherId, id, here), select(id, otherId, here), offset,
            select(-stride, stride, here));
          if (half >= 0) { code = 2 * half + select(0, 1, here); }
        }
      }
      result[index] = code;
    }`,
}

/** Finds the silhouettes between neighbouring pixels; the caller disposes of both results.
 *
 * `codes` is `[B, H, W, 2]` int32, for the pairs with the right and with the lower neighbour: -1 where there is none, else
 * twice the half edge, plus 1 where the nearer surface is that of the pixel itself. `points` is of `projectOnGpu`.
 */
export function crossingsOnGpu(
  backend: KernelBackend,
  clip: TensorInfo,
  ids: TensorInfo,
  depth: TensorInfo,
  topology: Topology,
): { codes: TensorInfo; points: TensorInfo } {
  const [batch, height, width] = ids.shape
  const points = projectOnGpu(backend, clip, width, height)
  const codes = makeOutput(backend, [...ids.shape, 2], 'int32')
  const mesh = uploadOnce(backend, topology.triangles)
  const links = uploadOnce(backend, topologyLinks(topology))
  const uniforms = [topology.vertexCount, width, height]
  const threads = 2 * batch * height * width
  runProgram(backend, program, [points, mesh, links, ids, depth], uniforms, threads, codes)
  return { codes, points }
}
