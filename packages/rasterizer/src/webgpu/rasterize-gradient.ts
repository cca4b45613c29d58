import { gpuConstant } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { gather, gatherPrograms } from './gather.js'
import type { Gathering } from './gathering.js'
import { barycentricsAt, edgeFunctions } from './snippets.js'

/** The derivative of `barycentricsGradient` in cpu/barycentrics-gradient.ts, of vertices that are scaled by s_i: with e_i the edge functions of
 * the scaled ones, b_i = s_i e_i / S, S = sum s_j e_j, so dL/de_i = s_i (dL/db_i - sum_j dL/db_j b_j) / S, and the derivative by
 * the vertex itself is s_i times that by the scaled one. Here the corner that is asked for is the first of the three. */
const gathering: Gathering = {
  name: 'facekit_rasterize_gradient',
  inputs: ['clip: vec4<f32>', 'triangles: i32', 'upstream: f32'],
  output: 'gradient: vec4<f32>',
  uniforms: [],
  sums: 3,
  parts: 1,
  lanes: 1,
  code: /* wgsl */ `${edgeFunctions}${barycentricsAt}
    var<private> order: vec3<i32>;
    var<private> a: vec4<f32>;
    var<private> b: vec4<f32>;
    var<private> c: vec4<f32>;
    fn begin(item: i32, f: i32, corner: i32, part: i32) {
      order = vec3<i32>(corner, select(corner + 1, 0, corner == 2), select(corner - 1, 2, corner == 0));
      let first = item * uniforms.vertexCount;
      a = clip[first + triangles[3 * f + order.x]];
      b = clip[first + triangles[3 * f + order.y]];
      c = clip[first + triangles[3 * f + order.z]];
    }
    fn add(q: i32, column: i32, row: i32) {
      let g = vec3<f32>(upstream[3 * q + order.x], upstream[3 * q + order.y], upstream[3 * q + order.z]);
      if (g.x == g.y && g.y == g.z) { return; }
      let half = 0.5 * vec2<f32>(vec2<i32>(uniforms.width, uniforms.height));
      let offset = half - vec2<f32>(vec2<i32>(column, row)) - 0.5;
      let corners = cornersAt(a, b, c, half, offset);
      let sum = corners.weights.x + corners.weights.y + corners.weights.z;
      if (sum == 0.0) { return; }
      let h = (g - dot(g, corners.weights / sum)) * (corners.ratio / sum);
      let u = corners.u;
      let v = corners.v;
      let d = differenceOfProducts(vec3<f32>(h.z, h.y, 0.0), vec3<f32>(v.y, u.z, 0.0), vec3<f32>(h.y, h.z, 0.0), vec3<f32>(v.z, u.y, 0.0))
        * corners.scale.x;
      sum0 += d.x;
      sum1 += d.y;
      sum2 += d.x * offset.x + d.y * offset.y;
    }`,
  finish: /* wgsl */ `
    fn finish(item: i32, vertex: i32, part: i32) {
      gradient[item * uniforms.vertexCount + vertex] =
        vec4<f32>(sum0 * 0.5 * f32(uniforms.width), sum1 * -0.5 * f32(uniforms.height), 0.0, sum2);
    }`,
}
const programs = gatherPrograms(gathering)

interface Attributes {
  triangles: Int32Array
}

/** Gradient of clip-space vertices on WebGPU. */
export function rasterizeGradientOnGpu(
  backend: KernelBackend,
  { clip, ids, upstream, boxes, tasks }: Record<'clip' | 'ids' | 'upstream' | 'boxes' | 'tasks', TensorInfo>,
  { gradient }: { gradient: TensorInfo },
  { triangles }: Attributes,
): void {
  const inputs = [clip, gpuConstant(backend, triangles), upstream]
  const footprints = { boxes, tasks }
  gather(backend, gathering, programs, ids, triangles, clip.shape[1], inputs, [], gradient, footprints)
}
